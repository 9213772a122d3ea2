/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_JSON_H
#define LCAI_JSON_H

#include "../core/buffer.h"
#include "compat.h"

#include <stdbool.h>

/* JSON by a private lua-cjson, whose settings are ours alone. */

/* Loads cjson, once for each Lua state. Raises when it is missing. */
void lcai_json_open(lua_State *L);

/* Pushes the value of the JSON text in a buffer that is in one piece (cai_buffer_join), null as cjson's own, and wipes
 * the buffer. False: the text is no JSON, and why is pushed instead. Raises when Lua is out of memory. */
bool lcai_json_decode(lua_State *L, cai_buffer *text);

/* Replaces the table on top of the stack by its JSON text. Raises when it holds what JSON has not. */
void lcai_json_encode(lua_State *L);

#endif
