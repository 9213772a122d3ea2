/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_JSON_H
#define LCAI_JSON_H

#include "compat.h"

#include <stdbool.h>

/* JSON by a private lua-cjson, whose settings are ours alone. */

/* Loads cjson, once for each Lua state. Raises when it is missing. */
void lcai_json_open(lua_State *L);

/* Replaces the JSON text on top of the stack by its value, null as cjson's own. False: the text is not JSON, and why is
 * there instead. Raises when Lua is out of memory. */
bool lcai_json_decode(lua_State *L);

/* Replaces the table on top of the stack by its JSON text. Raises when it holds what JSON has not. */
void lcai_json_encode(lua_State *L);

#endif
