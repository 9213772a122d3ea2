/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include "../core/stream.h"

#include <string.h>

/* true, or nil and why not */
static int push_result(lua_State *L, bool done, const cai_problem *problem) {
  if (done) {
    lua_pushboolean(L, true);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, strerror(problem->number));
  return 2;
}

/* fill_standard(): see cai_stream_fill_standard */
static int fill_standard(lua_State *L) {
  (void)L;
  cai_stream_fill_standard();
  return 0;
}

/* is_writable(descriptor) -> true | nil, message */
static int is_writable(lua_State *L) {
  cai_problem problem;
  return push_result(L, cai_stream_is_writable((int)luaL_checkinteger(L, 1), &problem), &problem);
}

/* write(descriptor, text) -> true | nil, message */
static int write_text(lua_State *L) {
  size_t length;
  cai_problem problem;
  int descriptor = (int)luaL_checkinteger(L, 1);
  const char *text = luaL_checklstring(L, 2, &length);
  return push_result(L, cai_stream_write(descriptor, text, length, &problem), &problem);
}

static const luaL_Reg functions[] = {
    {"fill_standard", fill_standard}, {"is_writable", is_writable}, {"write", write_text}, {NULL, NULL}};

void lcai_stream_open(lua_State *L) {
  lua_newtable(L);
  lcai_setfuncs(L, functions, 0);
}
