/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_URL_H
#define CAI_URL_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
  char *text;    /* scheme, host, port and path prefix, without a trailing slash; owned */
  size_t origin; /* bytes of `text` up to the path */
  bool tls;
  bool loopback; /* plain http to this machine: must never pass through a proxy */
} cai_base_url;

typedef struct {
  const char *bytes;
  size_t length;
} cai_segment;

typedef enum {
  CAI_SEGMENT_GOOD = 0,
  CAI_SEGMENT_EMPTY,
  CAI_SEGMENT_DOTS,   /* "." and "..", which servers and proxies resolve away */
  CAI_SEGMENT_CONTROL /* control characters, NUL among them */
} cai_segment_fault;

/* Checks and normalizes a base URL. False: `message` says what is wrong and what would be right. https on any host;
 * http only on a loopback host unless `allow_plain_http`; no user info, query or fragment. Free with
 * cai_base_url_clear. */
bool cai_base_url_parse(cai_base_url *base, const char *text, bool allow_plain_http, char message[CAI_MESSAGE_SIZE]);
void cai_base_url_clear(cai_base_url *base);

/* Whether a text can be one segment of a path, and only that. */
cai_segment_fault cai_segment_check(cai_segment segment);

/* Whether a text can be a query as it is, such as "page=1&pageSize=1": unreserved characters and "=", "&", "%". */
bool cai_query_check(const char *bytes, size_t length);

/* "/a/b/c" of checked segments, each escaped so that it stays one (RFC 3986, 2.3 unreserved characters as they are).
 * NULL: out of memory. Free with free(). */
char *cai_path_join(const cai_segment *segments, size_t count);

#endif
