/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_LIBCURL_H
#define CAI_LIBCURL_H

#include <stdbool.h>

#define CAI_LIBCURL_MESSAGE 160

/* Whether the libcurl that is loaded does for this code, which may have been built with the headers of a newer one.
 * False: says so in `message`. One that is newer than the headers does: libcurl keeps its interface
 * (https://curl.se/libcurl/abi.html). */
bool cai_libcurl_serves(char message[CAI_LIBCURL_MESSAGE]);

#endif
