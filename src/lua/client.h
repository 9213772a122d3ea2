/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_CLIENT_H
#define LCAI_CLIENT_H

#include "../core/client.h"
#include "class.h"

extern const lcai_class lcai_client_class;

/* Lua: client(options) -> Client, or nil, err of kind "config". `options`: every field of cai_client_options that has
 * no default there, of the right type; times in seconds. */
int lcai_client_new(lua_State *L);

/* Whether a text is the credential of the client at `index`. Raises when that is none. */
bool lcai_client_is_credential(lua_State *L, int index, const char *text, size_t length);

#endif
