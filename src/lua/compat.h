/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_COMPAT_H
#define LCAI_COMPAT_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

/* One face for Lua 5.1 (and LuaJIT), 5.2, 5.3, 5.4 and 5.5. Everything here is static: a module that exports a function
 * of Lua's own name would clash with its host. */

#if LUA_VERSION_NUM < 502

static inline void lcai_setfuncs(lua_State *L, const luaL_Reg *functions, int upvalues) {
  for (; functions->name != NULL; functions++) {
    for (int i = 0; i < upvalues; i++)
      lua_pushvalue(L, -upvalues);
    lua_pushcclosure(L, functions->func, upvalues);
    lua_setfield(L, -(upvalues + 2), functions->name);
  }
  lua_pop(L, upvalues);
}

#define lua_rawlen lua_objlen

#else

#define lcai_setfuncs luaL_setfuncs

#endif

/* As luaL_testudata, but for a light userdata, which is none of ours whatever its metatable: all light userdata of a
 * state share one, which debug.setmetatable may set to one of ours, and the pointer may be any number. */
static inline void *lcai_testudata(lua_State *L, int index, const char *name) {
  if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index))
    return NULL;
  luaL_getmetatable(L, name);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same ? lua_touserdata(L, index) : NULL;
}

/* As luaL_checkudata, likewise. */
static inline void *lcai_checkudata(lua_State *L, int index, const char *name) {
  void *data = lcai_testudata(L, index, name);
  if (data == NULL && lua_islightuserdata(L, index))
    luaL_argerror(L, index, lua_pushfstring(L, "%s expected, got light userdata", name));
  return data != NULL ? data : luaL_checkudata(L, index, name);
}

/* A userdata carries one table of Lua values, its environment: the function environment on 5.1, else the first user
 * value. */
static inline void *lcai_newuserdata(lua_State *L, size_t size) {
#if LUA_VERSION_NUM >= 504
  return lua_newuserdatauv(L, size, 1);
#else
  return lua_newuserdata(L, size);
#endif
}

/* A userdata that needs no environment: on 5.4 it has no room for one. */
static inline void *lcai_newblock(lua_State *L, size_t size) {
#if LUA_VERSION_NUM >= 504
  return lua_newuserdatauv(L, size, 0);
#else
  return lua_newuserdata(L, size);
#endif
}

/* Pops a table and makes it the environment of the userdata at `index` (positive). */
static inline void lcai_setenvironment(lua_State *L, int index) {
#if LUA_VERSION_NUM >= 504
  lua_setiuservalue(L, index, 1);
#elif LUA_VERSION_NUM >= 502
  lua_setuservalue(L, index);
#else
  lua_setfenv(L, index);
#endif
}

/* Pushes the environment of the userdata at `index`. */
static inline void lcai_getenvironment(lua_State *L, int index) {
#if LUA_VERSION_NUM >= 504
  lua_getiuservalue(L, index, 1);
#elif LUA_VERSION_NUM >= 502
  lua_getuservalue(L, index);
#else
  lua_getfenv(L, index);
#endif
}

/* A whole number within 2^53: an integer where Lua has them, so that 7 prints as 7 and not as 7.0. */
static inline void lcai_pushwhole(lua_State *L, double number) {
#if LUA_VERSION_NUM >= 503
  lua_pushinteger(L, (lua_Integer)number);
#else
  lua_pushnumber(L, number);
#endif
}

/* As lua_getfield, and the type of what it pushed. */
static inline int lcai_getfield(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  return lua_type(L, -1);
}

#endif
