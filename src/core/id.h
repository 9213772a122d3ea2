/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_ID_H
#define CAI_ID_H

#include <stdbool.h>
#include <stddef.h>

/* Ids of keys and projects: integers from 1 to 2^53, which every JSON reader and every Lua holds exactly, or texts of
 * [A-Za-z0-9_-] up to this many bytes. */
#define CAI_ID_SIZE_LIMIT 128
#define CAI_ID_NUMBER_LIMIT 9007199254740992.0

bool cai_id_is_number(double number);
bool cai_id_is_text(const char *bytes, size_t length);

/* Whether a text looks like a secret of the service: one that is passed as an id by mistake must not travel in a path,
 * which proxies and servers log. */
bool cai_id_is_secret(const char *bytes, size_t length);

#endif
