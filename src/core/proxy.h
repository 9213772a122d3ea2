/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_PROXY_H
#define CAI_PROXY_H

#include "url.h"

/* What is wrong with `text` as a proxy for libcurl, or NULL. The text may hold a password and is in no message. */
const char *cai_proxy_complaint(const char *text);

/* The proxy of the environment that libcurl would use for a base URL, or ""
 * (https://curl.se/libcurl/c/CURLOPT_PROXY.html, "Environment variables"). */
const char *cai_proxy_of_environment(const cai_base_url *base);

/* The hosts that the environment excepts from proxies, as CURLOPT_NOPROXY takes them, or "". */
const char *cai_no_proxy_of_environment(void);

#endif
