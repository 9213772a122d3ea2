/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_TIMER_H
#define LCAI_TIMER_H

#include "class.h"

extern const lcai_class lcai_timer_class;

/* Lua: engine:timer(seconds) -> Timer, which runs out after so many seconds: a finite number from 0. Whatever waits for
 * a call waits for it, too. */
int lcai_timer_start(lua_State *L);

#endif
