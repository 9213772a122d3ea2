/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_ANSWER_H
#define LCAI_ANSWER_H

#include "call.h"

/* Lua: call:result(shape, owner) -> the decoded `data` in the form of `shape`, or nil, err. `owner`: the ApiKeys that
 * the keys belong to. The shape "anything" gives true for whatever data an envelope of success holds. An error of kind
 * "api" has `envelope = true` when the service itself said no: the answer was a JSON object with `success: false`, not
 * a proxy's page. Hands the answer out once and wipes it. */
int lcai_answer_result(lua_State *L);

#endif
