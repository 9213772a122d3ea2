/* SPDX-License-Identifier: Apache-2.0 */
#include "libcurl.h"

#include <curl/curl.h>
#include <stdio.h>

#if LIBCURL_VERSION_NUM < 0x074200
#error "libcurl 7.66 is the oldest that serves"
#endif

/* The oldest that has all that this was compiled to insist on: CURLOPT_PROTOCOLS_STR, where the headers have it. What
 * else is newer than 7.66 it can do without (request.c, lane.c, trust.c). */
#if LIBCURL_VERSION_NUM >= 0x075500
#define NEEDED 0x075500
#define NEEDED_NAME "7.85.0"
#else
#define NEEDED 0x074200
#define NEEDED_NAME "7.66.0"
#endif

bool cai_libcurl_serves(char message[CAI_LIBCURL_MESSAGE]) {
  const curl_version_info_data *loaded = curl_version_info(CURLVERSION_FIRST);
  if (loaded->version_num >= NEEDED)
    return true;
  snprintf(message, CAI_LIBCURL_MESSAGE,
           "libcurl %s is loaded, and this was built with libcurl " LIBCURL_VERSION ": it needs " NEEDED_NAME
           " or newer, or to be built anew",
           loaded->version);
  return false;
}
