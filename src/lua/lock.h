/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_LOCK_FUNCTIONS_H
#define LCAI_LOCK_FUNCTIONS_H

#include "class.h"

extern const lcai_class lcai_lock_class;

/* lock(path[, seconds]) -> Lock | nil, "held", who | nil, "failed", message */
int lcai_lock_take(lua_State *L);

#endif
