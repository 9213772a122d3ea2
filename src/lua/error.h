/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_ERROR_H
#define LCAI_ERROR_H

#include "../core/call.h"
#include "compat.h"

/* The error contract: one table for every run-time failure, the same on every Lua, made here and nowhere else. */

/* Makes the metatable of errors, once for each Lua state. */
void lcai_error_open(lua_State *L);

/* Pushes nil and an error of a kind that concerns no call. Returns 2. */
int lcai_error_return(lua_State *L, cai_kind kind, const char *message);

/* Pushes an error with the facts of a finished call: kind, outcome, message, status, envelope, retry_after, attempts,
 * method, path. `envelope` is true if the service itself said so, by an envelope with success: false. */
void lcai_error_push_call(lua_State *L, const cai_call *call, cai_kind kind, cai_outcome outcome, const char *message);

/* Lua: failure(fields) -> err. Makes an error of a table with at least `kind`, one of cai_kind's words, and `message`;
 * raises when it lacks them. Other fields stay as they are: those of a call, and `state` and `next`, texts that say
 * where a rotation stands and what can be done. */
int lcai_error_of_table(lua_State *L);

#endif
