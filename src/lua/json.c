/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include "../core/envelope.h"

#define JSON "confidentai.json"

/* Calls function `name` of the table on top with one argument, if there is one: Neovim's module has no settings. What
 * it reads beyond JSON is not an envelope (envelope.c). */
static void configure(lua_State *L, const char *name, int number, bool boolean) {
  lua_getfield(L, -1, name);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  if (number > 0)
    lua_pushinteger(L, number);
  else
    lua_pushboolean(L, boolean);
  lua_call(L, 1, 0);
}

void lcai_json_open(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, JSON);
  if (lua_isnil(L, -1)) {
    lua_getglobal(L, "require");
    lua_pushliteral(L, JSON);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "find");
    lua_call(L, 0, 1);
    lua_getfield(L, -1, "new");
    lua_setfield(L, LUA_REGISTRYINDEX, JSON);
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
}

/* Pushes a function of a new cjson. cjson asks the locale for its decimal point when it is made, and reads every number
 * wrongly once the host has called setlocale; so none is kept. */
static void push_function(lua_State *L, const char *name) {
  lua_getfield(L, LUA_REGISTRYINDEX, JSON);
  lua_call(L, 0, 1);
  configure(L, "decode_max_depth", CAI_ENVELOPE_DEPTH, false);
  configure(L, "decode_invalid_numbers", 0, false);
  configure(L, "encode_invalid_numbers", 0, false);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
}

bool lcai_json_decode(lua_State *L) {
  push_function(L, "decode");
  lua_insert(L, -2);
  int status = lua_pcall(L, 1, 1, 0);
  if (status == LUA_ERRMEM)
    lua_error(L);
  return status == 0;
}

void lcai_json_encode(lua_State *L) {
  push_function(L, "encode");
  lua_insert(L, -2);
  lua_call(L, 1, 1);
}
