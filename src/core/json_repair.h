/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_JSON_REPAIR_H
#define CAI_JSON_REPAIR_H

#include "buffer.h"

#include <stdbool.h>

/* Changes what lua-cjson refuses a whole text for, or reads as something else: half of a surrogate pair becomes U+FFFD,
 * and a number that a double does not hold exactly becomes a string of the same characters. The buffer is in one piece
 * afterwards. A text without such numbers is not copied; each byte is looked at once. Returns false when out of
 * memory. */
bool cai_json_repair(cai_buffer *text);

#endif
