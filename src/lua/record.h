/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_RECORD_H
#define LCAI_RECORD_H

#include "compat.h"

#include <stdbool.h>

/* Reading decoded JSON with suspicion: every field is checked before it is used. A function here that returns false
 * has pushed what is wrong with the answer. */

/* Pushes "<what> is <problem>" and returns false. */
bool lcai_record_complain(lua_State *L, const char *what, const char *problem);

/* Pushes field `name` of the table on top, which must be an object; null counts as absent (nil). */
int lcai_record_field(lua_State *L, const char *name);

/* Likewise the field whose name is the string at `index` (positive): for many records, whose names are pushed once. */
int lcai_record_field_at(lua_State *L, int index);

/* Pushes field `name` of the table on top when it is an array (`array`) or an object. */
bool lcai_record_table(lua_State *L, const char *name, bool array);

/* Whether a value is an id, and replaces the integers of cjson, floats on some Luas, by integers. */
bool lcai_record_id(lua_State *L, int index, const char *what);

/* Replaces the record on top by what is made of it. False: it is wrong, and how is pushed. */
typedef bool (*lcai_record_reader)(lua_State *L, void *context);

/* Replaces each record of the array on top. A record that cannot be read is left out, and told of in the array's field
 * `unreadable`: { { id = integer or string or nil, place = integer, problem = string } }. False: none can be read. */
bool lcai_record_each(lua_State *L, lcai_record_reader read, void *context);

/* Sets, in the table on top, snake_case field `to` from field `from` of the table at `index` (positive) when that is a
 * string or absent. */
bool lcai_record_text(lua_State *L, int index, const char *from, const char *to);

#endif
