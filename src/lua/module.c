/* SPDX-License-Identifier: Apache-2.0 */
#include "../core/clock.h"
#include "../core/credential.h"
#include "../core/id.h"
#include "../core/utf8.h"
#include "../core/version.h"
#include "api_key.h"
#include "call.h"
#include "client.h"
#include "engine.h"
#include "error.h"
#include "json.h"
#include "scope.h"

#include <stdio.h>

/* environment(userdata) -> the table of Lua values that an object of ours carries */
static int environment(lua_State *L) {
  luaL_checktype(L, 1, LUA_TUSERDATA);
  lcai_getenvironment(L, 1);
  return 1;
}

/* is_utf8(text) -> boolean */
static int is_utf8(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_pushboolean(L, cai_utf8_check(text, length));
  return 1;
}

/* now() -> seconds on a clock that only goes forward */
static int now(lua_State *L) {
  lua_pushnumber(L, cai_clock_now());
  return 1;
}

/* region_of(api_key) -> "US", "EU", "AU" or nil, by the key's prefix */
static int region_of(lua_State *L) {
  size_t length;
  const char *key = luaL_checklstring(L, 1, &length);
  lua_pushstring(L, cai_credential_region(key, length)); /* NULL pushes nil */
  return 1;
}

static int complain(lua_State *L, const char *what) {
  lua_pushnil(L);
  lua_pushstring(L, what);
  return 2;
}

/* Returns the string at index 2 as the id that goes into a path, or nil and what is wrong. Never quotes it: it may be a
 * secret, such as that of the client at `client`. */
static int text_id(lua_State *L, int client) {
  size_t length;
  const char *text = lua_tolstring(L, 2, &length);
  if (cai_id_is_secret(text, length) || lcai_client_is_credential(L, client, text, length))
    return complain(L, "an id is expected, and this is a secret: it was sent nowhere");
  if (!cai_id_is_text(text, length))
    return complain(L, "an id of 1 to 128 characters out of A-Z, a-z, 0-9, _ and - is expected");
  lua_pushvalue(L, 2);
  return 1;
}

/* project_id(client, value) -> text, or nil and what is wrong */
static int project_id(lua_State *L) {
  lua_settop(L, 2);
  if (lua_type(L, 2) != LUA_TSTRING)
    return complain(L, "a string is expected");
  return text_id(L, 1);
}

/* key_id(api_keys, value) -> text, or nil and what is wrong. `value`: a whole number, a text, or an ApiKey of the same
 * place. */
static int key_id(lua_State *L) {
  lcai_place place = lcai_scope_place(L, 1);
  char digits[32];
  lua_settop(L, 2);
  switch (lua_type(L, 2)) {
  case LUA_TSTRING:
    lcai_environment_field(L, 1, "client");
    return text_id(L, 3);
  case LUA_TNUMBER:
    if (!cai_id_is_number(lua_tonumber(L, 2)))
      return complain(L, "a whole number from 1 to 2^53 is expected");
    snprintf(digits, sizeof digits, "%.0f", lua_tonumber(L, 2));
    lua_pushstring(L, digits);
    return 1;
  case LUA_TUSERDATA:
    if (!lcai_api_key_is_at(L, 2, place))
      return complain(L, "this ApiKey belongs to another scope or project, where the same id means another key");
    lua_pushstring(L, lcai_api_key_id(L, 2));
    return 1;
  default:
    return complain(L, "an id or an ApiKey is expected");
  }
}

static const luaL_Reg functions[] = {{"engine", lcai_engine_get},
                                     {"client", lcai_client_new},
                                     {"organization", lcai_scope_organization},
                                     {"project", lcai_scope_project},
                                     {"projects", lcai_scope_projects},
                                     {"failure", lcai_error_of_table},
                                     {"environment", environment},
                                     {"is_utf8", is_utf8},
                                     {"now", now},
                                     {"region_of", region_of},
                                     {"project_id", project_id},
                                     {"key_id", key_id},
                                     {NULL, NULL}};

static const lcai_class *const classes[] = {&lcai_engine_class,       &lcai_client_class,  &lcai_call_class,
                                            &lcai_organization_class, &lcai_project_class, &lcai_projects_class,
                                            &lcai_api_keys_class,     &lcai_api_key_class};

/* confidentai.core: what the Lua layer builds on. `methods` holds the method table of each class by its short name. */
__attribute__((visibility("default"))) int luaopen_confidentai_core(lua_State *L) {
  lcai_json_open(L);
  lcai_error_open(L);
  lua_newtable(L);
  lcai_setfuncs(L, functions, 0);
  lua_newtable(L);
  for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
    lcai_class_open(L, classes[i]);
  lua_setfield(L, -2, "methods");
  lua_pushliteral(L, CAI_VERSION);
  lua_setfield(L, -2, "_VERSION");
  return 1;
}
