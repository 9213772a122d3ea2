/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_UTF8_H
#define CAI_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, nothing past U+10FFFF). Lua 5.1 has
 * no such function, and JSON may carry nothing else. */
bool cai_utf8_check(const char *bytes, size_t length);

/* Reads the character that bytes begin with. Returns its length and sets `point`; 0: they begin with none. */
size_t cai_utf8_decode(const char *bytes, size_t length, uint32_t *point);

#endif
