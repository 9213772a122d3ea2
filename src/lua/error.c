/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <stdio.h>
#include <string.h>

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

/* The kind of the error at index 1, or NONE when it has none of ours. */
static cai_kind kind_of(lua_State *L) {
  cai_kind kind = CAI_KIND_NONE;
  lua_getfield(L, 1, "kind");
  const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  for (int i = CAI_KIND_NONE + 1; i < CAI_KIND_COUNT; i++) {
    if (strcmp(name, cai_kind_name((cai_kind)i)) == 0)
      kind = (cai_kind)i;
  }
  lua_pop(L, 1);
  return kind;
}

/* Appends what was tried, "method path, status ...", in parentheses. The number of such fields. */
static int add_details(lua_State *L, luaL_Buffer *text) {
  static const struct {
    const char *name, *separator, *label;
  } fields[] = {{"method", "", ""},
                {"path", " ", ""},
                {"status", ", ", "status "},
                {"attempts", ", ", "attempts "},
                {"outcome", ", ", "outcome "},
                {"state", ", ", "state "}};
  int details = 0;
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    char before[16];
    snprintf(before, sizeof before, "%s%s", details == 0 ? " (" : fields[i].separator, fields[i].label);
    details += add_field(L, text, before, fields[i].name);
  }
  if (details > 0)
    luaL_addstring(text, ")");
  return details;
}

/* "api: no such key (GET /v1/organization/api-keys/9, status 404, outcome not_applied)" */
static int error_tostring(lua_State *L) {
  luaL_Buffer text;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  cai_kind kind = kind_of(L);
  luaL_buffinit(L, &text);
  add_field(L, &text, "", "kind");
  add_field(L, &text, ": ", "message");
  /* A store and a state are not the service's: requests have nothing to do with it. */
  if (add_details(L, &text) == 0 && kind != CAI_KIND_STORE && kind != CAI_KIND_STATE)
    luaL_addstring(&text, " (no request was made)");
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
  if (kind == CAI_KIND_API && call->envelope == CAI_ENVELOPE_FAILURE) {
    lua_pushboolean(L, true);
    lua_setfield(L, -2, "envelope");
  }
  if (call->retry_after >= 0) {
    lcai_pushwhole(L, call->retry_after);
    lua_setfield(L, -2, "retry_after");
  }
}

int lcai_error_of_table(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  luaL_argcheck(L, kind_of(L) != CAI_KIND_NONE, 1, "field 'kind': one of the kinds of errors is expected");
  lua_getfield(L, 1, "message");
  luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1, "field 'message': string expected");
  lua_settop(L, 1);
  luaL_getmetatable(L, ERROR_METATABLE);
  lua_setmetatable(L, 1);
  return 1;
}
