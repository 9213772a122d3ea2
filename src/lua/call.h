/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_CALL_H
#define LCAI_CALL_H

#include "../core/engine.h"
#include "class.h"

extern const lcai_class lcai_call_class;

/* What a Call userdata holds. */
typedef struct {
  cai_engine *engine; /* references; both NULL until the call is started */
  cai_call *call;
  bool taken; /* the result was handed out and the answer wiped */
} lcai_call;

/* Pushes a started Call. On the stack: client, method, array of path segments, body (table or nil), flags (table or
 * nil; see client:start), and nothing else. */
int lcai_call_start(lua_State *L, cai_engine *engine, cai_client *client);

/* The finished call at `index`. Raises when it is none. */
lcai_call *lcai_call_check_finished(lua_State *L, int index);

#endif
