/* SPDX-License-Identifier: Apache-2.0 */
#include "class.h"

#include "../core/id.h"

#include <stdbool.h>
#include <string.h>

/* The longest name that is repeated in an error (bytes): more than any field has, less than the random part of a
 * secret. */
#define LONGEST_NAME 32

/* Names that users of other APIs look for, and what they are called here. */
static const char *const meant[][2] = {
    {"enabled", "valid"},      {"disabled", "valid"}, {"active", "valid"},  {"secret", "value"},
    {"key", "value"},          {"token", "value"},    {"keys", "api_keys"}, {"shadow_value", "replacement"},
    {"created", "created_at"}, {"used", "last_used"}};

/* Pushes a name in snake_case: "lastUsed" as "last_used". */
static void push_snake_case(lua_State *L, const char *name) {
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  for (; *name != '\0'; name++) {
    if (*name >= 'A' && *name <= 'Z') {
      luaL_addchar(&text, '_');
      luaL_addchar(&text, (char)(*name - 'A' + 'a'));
    } else {
      luaL_addchar(&text, *name);
    }
  }
  luaL_pushresult(&text);
}

/* Returns true if the string on top is the name of a method or a field. */
static bool is_known(lua_State *L) {
  for (int table = 1; table <= 2; table++) {
    lua_pushvalue(L, -1);
    lua_rawget(L, lua_upvalueindex(table));
    bool known = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (known)
      return true;
  }
  return false;
}

/* Pushes the name that is meant by the one at index 2, or nil. */
static void push_meant(lua_State *L) {
  push_snake_case(L, lua_tostring(L, 2));
  if (is_known(L))
    return;
  for (size_t i = 0; i < sizeof meant / sizeof meant[0]; i++) {
    if (strcmp(meant[i][0], lua_tostring(L, -1)) == 0) {
      lua_pushstring(L, meant[i][1]);
      if (is_known(L))
        return;
    }
  }
  lua_pushnil(L);
}

/* Pushes the names of all fields and methods, in the order of the alphabet. */
static void push_names(lua_State *L) {
  lua_newtable(L);
  int list = lua_gettop(L), count = 0;
  for (int table = 1; table <= 2; table++) {
    lua_pushnil(L);
    while (lua_next(L, lua_upvalueindex(table)) != 0) {
      lua_pop(L, 1);
      lua_pushvalue(L, -1);
      lua_rawseti(L, list, ++count);
    }
  }
  lua_getglobal(L, "table");
  lua_getfield(L, -1, "sort");
  lua_pushvalue(L, list);
  lua_call(L, 1, 0);
  lua_getfield(L, -1, "concat");
  lua_pushvalue(L, list);
  lua_pushliteral(L, ", ");
  lua_call(L, 2, 1);
}

/* Returns true if the string at index 2 may be shown: a word as a name is, and nothing that may be a secret. */
static bool is_word(lua_State *L) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  size_t length;
  const char *name = lua_tolstring(L, 2, &length);
  return length <= LONGEST_NAME && strspn(name, letters) == length && !cai_id_is_secret(name, length);
}

/* Raises: index 2 is neither a method nor a field. */
static int refuse_name(lua_State *L) {
  lua_getfield(L, lua_upvalueindex(4), "__name");
  const char *class = lua_tostring(L, -1);
  if (lua_type(L, 2) != LUA_TSTRING)
    return luaL_error(L, "%s has no field that is a %s", class, luaL_typename(L, 2));
  push_meant(L);
  if (!lua_isnil(L, -1))
    return luaL_error(L, "%s has no field or method '%s': '%s' is meant", class, lua_tostring(L, 2),
                      lua_tostring(L, -1));
  push_names(L);
  if (!is_word(L))
    return luaL_error(L, "%s has no field or method of that name; it has: %s", class, lua_tostring(L, -1));
  return luaL_error(L, "%s has no field or method '%s'; it has: %s", class, lua_tostring(L, 2), lua_tostring(L, -1));
}

/* __index: a method, else a field. Upvalues: the methods, the names of the fields, the function of the fields or nil,
 * the metatable. */
static int index_userdata(lua_State *L) {
  lua_settop(L, 2);
  if (lua_type(L, 1) != LUA_TUSERDATA || !lua_getmetatable(L, 1) || !lua_rawequal(L, -1, lua_upvalueindex(4))) {
    lua_getfield(L, lua_upvalueindex(4), "__name");
    lcai_checkudata(L, 1, lua_tostring(L, -1)); /* raises */
  }
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  if (!lua_isnil(L, -1))
    return 1;
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(2));
  bool is_field = !lua_isnil(L, -1);
  lua_settop(L, 2);
  if (!is_field)
    return refuse_name(L);
  lua_CFunction field = lua_tocfunction(L, lua_upvalueindex(3));
  return field(L);
}

static int refuse_assignment(lua_State *L) {
  return luaL_error(L, "this object is read-only");
}

/* Sets __index of the metatable on top, which has its methods. */
static void set_index(lua_State *L, const lcai_class *class) {
  lua_getfield(L, -1, "methods");
  lua_newtable(L);
  for (int i = 0; class->fields != NULL && class->fields[i] != NULL; i++) {
    lua_pushboolean(L, true);
    lua_setfield(L, -2, class->fields[i]);
  }
  if (class->field != NULL)
    lua_pushcfunction(L, class->field);
  else
    lua_pushnil(L);
  lua_pushvalue(L, -4);
  lua_pushcclosure(L, index_userdata, 4);
  lua_setfield(L, -2, "__index");
}

void lcai_class_open(lua_State *L, const lcai_class *class) {
  const char *short_name = strchr(class->name, '.') + 1;
  if (luaL_newmetatable(L, class->name)) {
    lcai_setfuncs(L, class->metamethods, 0);
    lua_pushstring(L, class->name);
    lua_setfield(L, -2, "__name");
    lua_pushstring(L, class->name); /* getmetatable gives this name, and setmetatable refuses */
    lua_setfield(L, -2, "__metatable");
    lua_newtable(L);
    lcai_setfuncs(L, class->methods, 0);
    lua_setfield(L, -2, "methods");
    set_index(L, class);
    lua_pushcfunction(L, refuse_assignment);
    lua_setfield(L, -2, "__newindex");
  }
  lua_getfield(L, -1, "methods");
  lua_setfield(L, -3, short_name);
  lua_pop(L, 1);
}

void lcai_class_open_light(lua_State *L, const lcai_class *class, const char *light) {
  luaL_getmetatable(L, class->name);
  if (luaL_newmetatable(L, light)) {
    lua_pushnil(L);
    while (lua_next(L, -3) != 0) { /* the very values: 5.1 compares by __eq only where both have the same */
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, -4);
    }
    lua_pushnil(L);
    lua_setfield(L, -2, "__gc");
    set_index(L, class);
  }
  lua_pop(L, 2);
}

void *lcai_class_new(lua_State *L, const char *name, size_t size) {
  void *data = lcai_newuserdata(L, size);
  memset(data, 0, size);
  luaL_getmetatable(L, name);
  lua_setmetatable(L, -2);
  return data;
}

int lcai_check_choice(lua_State *L, int index, const char *const names[]) {
  const char *text = luaL_checkstring(L, index);
  for (int i = 0; names[i] != NULL; i++)
    if (strcmp(names[i], text) == 0)
      return i;
  return luaL_argerror(L, index, "not one of the words that are expected here");
}

void lcai_environment_field(lua_State *L, int index, const char *name) {
  lcai_getenvironment(L, index);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
}
