/* SPDX-License-Identifier: Apache-2.0 */
#include "class.h"

#include <string.h>

/* __index: a method, else a field. Upvalues: the methods, the function of the fields or nil, the metatable. */
static int index_userdata(lua_State *L) {
  lua_settop(L, 2);
  if (!lua_isuserdata(L, 1) || !lua_getmetatable(L, 1) || !lua_rawequal(L, -1, lua_upvalueindex(3))) {
    lua_getfield(L, lua_upvalueindex(3), "__name");
    luaL_checkudata(L, 1, lua_tostring(L, -1)); /* raises */
  }
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  if (!lua_isnil(L, -1) || lua_isnil(L, lua_upvalueindex(2)))
    return 1;
  lua_CFunction field = lua_tocfunction(L, lua_upvalueindex(2));
  lua_settop(L, 2);
  return field(L);
}

static int refuse_assignment(lua_State *L) {
  return luaL_error(L, "this object is read-only");
}

/* Sets __index of the metatable on top, which has its methods. */
static void set_index(lua_State *L, const lcai_class *class) {
  lua_getfield(L, -1, "methods");
  if (class->field != NULL)
    lua_pushcfunction(L, class->field);
  else
    lua_pushnil(L);
  lua_pushvalue(L, -3);
  lua_pushcclosure(L, index_userdata, 3);
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
