/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_API_KEY_H
#define LCAI_API_KEY_H

#include "../core/secret.h"
#include "class.h"

#include <stdbool.h>

extern const lcai_class lcai_api_key_class;

/* Where a key lives, beside its id. */
typedef struct {
  bool project; /* else the organization */
  const char *project_id;
} lcai_place;

/* Pushes an ApiKey made of the decoded record on top of the stack, which it replaces. `created`: the record comes from
 * a create and must hold the secret, which no other answer may keep. False: the record is wrong, and how is pushed. */
bool lcai_api_key_push(lua_State *L, lcai_place place, bool created);

/* Likewise makes ApiKeys of all records of the array on top of the stack, in place: the answer to a list. */
bool lcai_api_key_push_all(lua_State *L, lcai_place place);

/* Whether the value at `index` is an ApiKey. */
bool lcai_api_key_is(lua_State *L, int index);

/* The text of the id of the ApiKey at `index`, and whether it lives at a place. Raises when it is no ApiKey. */
const char *lcai_api_key_id(lua_State *L, int index);
bool lcai_api_key_is_at(lua_State *L, int index, lcai_place place);

/* Pushes true if the ApiKey at `index` ends as a secret of `length` bytes does, as far as its mask shows it; false if
 * it does not; nil if its mask shows nothing, so that nobody can tell. Returns 1. Raises when it is not an ApiKey. */
int lcai_api_key_push_match(lua_State *L, int index, const char *secret, size_t length);

#endif
