/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#define ERROR_METATABLE "confidentai.Error"

/* Appends "<before><field>" of the error at index 1 when it has that field: 1, else 0. */
static int add_field(lua_State *L, luaL_Buffer *text, const char *before, const char *name) {
  lua_getfield(L, 1, name);
  bool present = lua_isstring(L, -1);
  lua_pop(L, 1);
  if (!present)
    return 0;
  luaL_addstring(text, before); /* may use the stack, so the field is fetched anew */
  lua_getfield(L, 1, name);
  luaL_addvalue(text);
  return 1;
}

/* "api: no such key (GET /v1/organization/api-keys/9, status 404, outcome not_applied)" */
static int error_tostring(lua_State *L) {
  luaL_Buffer text;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  luaL_buffinit(L, &text);
  add_field(L, &text, "", "kind");
  add_field(L, &text, ": ", "message");
  luaL_addstring(&text, " (");
  int details = 0;
  static const char *const fields[][2] = {
      {"method", ""}, {"path", " "}, {"status", ", status "}, {"attempts", ", attempts "}, {"outcome", ", outcome "}};
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
    details += add_field(L, &text, fields[i][1], fields[i][0]);
  luaL_addstring(&text, details == 0 ? "no request was made)" : ")");
  luaL_pushresult(&text);
  return 1;
}

void lcai_error_open(lua_State *L) {
  if (luaL_newmetatable(L, ERROR_METATABLE)) {
    lua_pushcfunction(L, error_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, ERROR_METATABLE);
    lua_setfield(L, -2, "__name");
  }
  lua_pop(L, 1);
}

static void set_text(lua_State *L, const char *name, const char *text) {
  if (text == NULL)
    return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void push_error(lua_State *L, cai_kind kind, const char *message) {
  lua_createtable(L, 0, 8);
  luaL_getmetatable(L, ERROR_METATABLE);
  lua_setmetatable(L, -2);
  set_text(L, "kind", cai_kind_name(kind));
  set_text(L, "message", message);
}

int lcai_error_return(lua_State *L, cai_kind kind, const char *message) {
  lua_pushnil(L);
  push_error(L, kind, message);
  return 2;
}

void lcai_error_push_call(lua_State *L, const cai_call *call, cai_kind kind, cai_outcome outcome, const char *message) {
  push_error(L, kind, message);
  set_text(L, "outcome", cai_outcome_name(outcome));
  set_text(L, "method", cai_method_name(call->request.method));
  set_text(L, "path", call->request.path);
  lcai_pushwhole(L, call->attempts);
  lua_setfield(L, -2, "attempts");
  if (call->status > 0) {
    lcai_pushwhole(L, (double)call->status);
    lua_setfield(L, -2, "status");
  }
  if (call->retry_after >= 0) {
    lcai_pushwhole(L, call->retry_after);
    lua_setfield(L, -2, "retry_after");
  }
}

int lcai_error_of_table(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  luaL_getmetatable(L, ERROR_METATABLE);
  lua_setmetatable(L, 1);
  return 1;
}
