/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_PROXY_H
#define CAI_PROXY_H

#include "url.h"

/* What is wrong with `text` as a proxy for libcurl, or NULL. The text may hold a password and is in no message. */
const char *cai_proxy_complaint(const char *text);

/* The proxy of the environment that libcurl would use for a base URL, or NULL
 * (https://curl.se/libcurl/c/CURLOPT_PROXY.html, "Environment variables"). Where the environment makes exceptions
 * (no_proxy), whether one is used at all is left to libcurl: NULL. */
const char *cai_proxy_of_environment(const cai_base_url *base);

#endif
