/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include "../core/secret.h"
#include "../core/stream.h"
#include "../core/terminal.h"

#include <string.h>

/* Bytes of a line that is typed; a terminal gives no longer one. */
#define LONGEST_LINE 4096

/* true, or nil, why not, and the number of that */
static int push_result(lua_State *L, bool done, const cai_problem *problem) {
  if (done) {
    lua_pushboolean(L, true);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, strerror(problem->number));
  lua_pushinteger(L, problem->number);
  return 3;
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

/* write(descriptor, text) -> true | nil, message, number, bytes that were written before; see cai_stream_write. Number
 * 4, EINTR: a signal came. */
static int write_text(lua_State *L) {
  size_t length, written;
  cai_problem problem;
  int descriptor = (int)luaL_checkinteger(L, 1);
  const char *text = luaL_checklstring(L, 2, &length);
  int count = push_result(L, cai_stream_write(descriptor, text, length, &written, &problem), &problem);
  if (count == 1)
    return 1;
  lua_pushinteger(L, (lua_Integer)written);
  return count + 1;
}

/* ask_hidden(question) -> the line, or nil; see cai_terminal_ask_hidden */
static int ask_hidden(lua_State *L) {
  char line[LONGEST_LINE];
  size_t length;
  if (!cai_terminal_ask_hidden(luaL_checkstring(L, 1), line, sizeof line, &length))
    return 0;
  lua_pushlstring(L, line, length);
  cai_wipe(line, sizeof line);
  return 1;
}

static const luaL_Reg functions[] = {{"fill_standard", fill_standard},
                                     {"is_writable", is_writable},
                                     {"write", write_text},
                                     {"ask_hidden", ask_hidden},
                                     {NULL, NULL}};

void lcai_stream_open(lua_State *L) {
  lua_newtable(L);
  lcai_setfuncs(L, functions, 0);
}
