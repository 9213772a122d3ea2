/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_TRACE_H
#define CAI_TRACE_H

#include "secret.h"

#include <curl/curl.h>
#include <stdbool.h>

/* Shows what libcurl does, for a person who looks for the cause of a failure (docs/debugging.md). */

/* Returns true if $CONFIDENTAI_DEBUG asks for it: it is set, and is not "" or "0". */
bool cai_trace_is_wanted(void);

/* Has libcurl's messages and the headers of an easy handle written to standard error. Credentials are masked, bodies
 * are not shown. `credential` (may be NULL) must live as long as the handle. */
CURLcode cai_trace_apply(CURL *easy, const cai_secret *credential);

#endif
