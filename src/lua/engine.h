/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_ENGINE_H
#define LCAI_ENGINE_H

#include "../core/engine.h"
#include "class.h"

extern const lcai_class lcai_engine_class;

/* Lua: engine() -> Engine. The one of this Lua state, made at the first call. Raises when the system has no room. */
int lcai_engine_get(lua_State *L);

/* The engine in the userdata at `index`. Raises when it is none. */
cai_engine *lcai_engine_check(lua_State *L, int index);

#endif
