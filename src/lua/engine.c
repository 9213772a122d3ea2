/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include "timer.h"

#include <limits.h>
#include <math.h>

typedef struct {
  cai_engine *engine;
} engine_slot;

cai_engine *lcai_engine_check(lua_State *L, int index) {
  const engine_slot *slot = lcai_checkudata(L, index, LCAI_ENGINE);
  luaL_argcheck(L, slot->engine != NULL, index, "the engine is gone");
  return slot->engine;
}

/* engine:step(seconds) -> calls and timers in flight. 0 never waits, nor works for long (core/engine.h); negative waits
 * until something happens or a signal comes. */
static int engine_step(lua_State *L) {
  cai_engine *engine = lcai_engine_check(L, 1);
  double seconds = luaL_optnumber(L, 2, 0);
  int milliseconds = seconds < 0 ? -1 : (int)fmin(ceil(seconds * 1e3), INT_MAX);
  lua_pushinteger(L, cai_engine_step(engine, milliseconds));
  return 1;
}

/* engine:in_flight() -> number of calls and timers */
static int engine_in_flight(lua_State *L) {
  lua_pushinteger(L, cai_engine_in_flight(lcai_engine_check(L, 1)));
  return 1;
}

/* engine:finished() -> number of calls and timers that have ended, ever */
static int engine_finished(lua_State *L) {
  lcai_pushwhole(L, (double)cai_engine_finished(lcai_engine_check(L, 1)));
  return 1;
}

/* engine:age() -> seconds since the last step; infinite when one is due at once */
static int engine_age(lua_State *L) {
  lua_pushnumber(L, cai_engine_age(lcai_engine_check(L, 1)));
  return 1;
}

/* engine:fd() -> a descriptor that is readable when a step has something to do; another one after a fork. Raises when
 * the system gives none. */
static int engine_fd(lua_State *L) {
  int descriptor = cai_engine_descriptor(lcai_engine_check(L, 1));
  if (descriptor < 0)
    return luaL_error(L, "confidentai: no file descriptor is left");
  lua_pushinteger(L, descriptor);
  return 1;
}

/* engine:timeout() -> seconds until a step is due even if no socket is ready, or nil */
static int engine_timeout(lua_State *L) {
  double seconds = cai_engine_timeout(lcai_engine_check(L, 1));
  if (isinf(seconds))
    lua_pushnil(L);
  else
    lua_pushnumber(L, seconds);
  return 1;
}

/* At the end of the Lua state only: the registry holds the engine until then. */
static int engine_gc(lua_State *L) {
  engine_slot *slot = lcai_checkudata(L, 1, LCAI_ENGINE);
  if (slot->engine != NULL) {
    cai_engine_close(slot->engine);
    cai_engine_release(slot->engine);
  }
  slot->engine = NULL;
  return 0;
}

int lcai_engine_get(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, LCAI_ENGINE ".instance");
  if (!lua_isnil(L, -1))
    return 1;
  lua_pop(L, 1);
  engine_slot *slot = lcai_class_new(L, LCAI_ENGINE, sizeof *slot);
  slot->engine = cai_engine_new();
  if (slot->engine == NULL)
    return luaL_error(L, "confidentai: no engine: out of memory or file descriptors");
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, LCAI_ENGINE ".instance");
  return 1;
}

static const luaL_Reg metamethods[] = {{"__gc", engine_gc}, {NULL, NULL}};
static const luaL_Reg methods[] = {
    {"step", engine_step}, {"in_flight", engine_in_flight}, {"finished", engine_finished}, {"age", engine_age},
    {"fd", engine_fd},     {"timeout", engine_timeout},     {"timer", lcai_timer_start},   {NULL, NULL}};

const lcai_class lcai_engine_class = {LCAI_ENGINE, metamethods, methods, NULL, NULL};
