/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_ANSWER_H
#define LCAI_ANSWER_H

#include "call.h"

/* Lua: call:result(shape, owner) -> the decoded `data` in the form of `shape`, or nil, err. `owner`: the ApiKeys that
 * the keys belong to. Hands the answer out once and wipes it. */
int lcai_answer_result(lua_State *L);

#endif
