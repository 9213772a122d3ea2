/* SPDX-License-Identifier: Apache-2.0 */
#include "timer.h"

#include "engine.h"

#include <math.h>

typedef struct {
  cai_engine *engine; /* a reference; NULL until the timer is started */
  cai_timer timer;
} timer_slot;

static timer_slot *check(lua_State *L, int index) {
  timer_slot *slot = lcai_checkudata(L, index, LCAI_TIMER);
  luaL_argcheck(L, slot->engine != NULL, index, "the timer is gone");
  return slot;
}

int lcai_timer_start(lua_State *L) {
  cai_engine *engine = lcai_engine_check(L, 1);
  double seconds = luaL_checknumber(L, 2);
  luaL_argcheck(L, seconds >= 0 && isfinite(seconds), 2, "a finite number of seconds from 0 is expected");
  timer_slot *slot = lcai_class_new(L, LCAI_TIMER, sizeof *slot);
  slot->engine = cai_engine_retain(engine);
  cai_engine_start_timer(engine, &slot->timer, seconds);
  return 1;
}

/* timer:done() -> whether it runs no more: its time has passed, or it was cancelled */
static int timer_done(lua_State *L) {
  lua_pushboolean(L, !check(L, 1)->timer.running);
  return 1;
}

/* timer:passed() -> whether its time has passed; false while it runs, and when it was cancelled before. In a forked
 * child, the parent's timers count as cancelled. */
static int timer_passed(lua_State *L) {
  lua_pushboolean(L, check(L, 1)->timer.passed);
  return 1;
}

/* timer:cancel(): it is done, unless it is already. */
static int timer_cancel(lua_State *L) {
  timer_slot *slot = check(L, 1);
  cai_engine_stop_timer(slot->engine, &slot->timer);
  return 0;
}

static int timer_gc(lua_State *L) {
  timer_slot *slot = lcai_checkudata(L, 1, LCAI_TIMER);
  cai_engine *engine = slot->engine;
  slot->engine = NULL;
  if (engine != NULL)
    cai_engine_stop_timer(engine, &slot->timer);
  cai_engine_release(engine);
  return 0;
}

static const luaL_Reg metamethods[] = {{"__gc", timer_gc}, {NULL, NULL}};
static const luaL_Reg methods[] = {
    {"done", timer_done}, {"passed", timer_passed}, {"cancel", timer_cancel}, {NULL, NULL}};

const lcai_class lcai_timer_class = {LCAI_TIMER, metamethods, methods, NULL, NULL};
