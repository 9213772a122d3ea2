/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_REQUEST_H
#define CAI_REQUEST_H

#include "client.h"
#include "retry.h"
#include "url.h"

#include <stdbool.h>
#include <stddef.h>

/* What a call is to do. All zero but for the method and the path: as its client does it. */
typedef struct {
  cai_method method;
  const cai_segment *segments; /* `segment_count` of the path, each checked (cai_segment_check) */
  size_t segment_count;
  const char *query; /* checked (cai_query_check); NULL: none */
  const char *body;  /* JSON of `body_length` bytes; NULL: none */
  size_t body_length;
  const char *credential; /* `credential_length` printable bytes, sent instead of the client's own; NULL: none */
  size_t credential_length;
  bool fresh;    /* on a connection of its own, a read too */
  bool no_retry; /* one attempt, whatever the client's max_retries */
} cai_call_options;

/* What one call asks of the service, the same at each attempt. */
typedef struct {
  cai_method method;
  bool fresh;
  cai_identity *identity; /* as whom; a reference */
  char *path;             /* below the base URL, escaped, without the query; owned */
  char *url;              /* whole; owned */
  char *body;             /* JSON, or NULL; owned */
  size_t body_length;
} cai_request;

/* Fills a request with copies. False: out of memory, nothing is owned. */
bool cai_request_init(cai_request *request, const cai_client *client, const cai_call_options *options);

/* Wipes and frees what it owns. Idempotent. */
void cai_request_clear(cai_request *request);

/* Whether it must travel on a connection of its own: all that changes something, and what asks for it. libcurl itself
 * sends a request again when a reused connection breaks without an answer (docs/platform.md). A create would happen
 * twice, a delete would be answered by 404 for what it did, and the 401 to a client that disabled its own key would
 * pass for a refusal. */
bool cai_request_is_exclusive(const cai_request *request);

/* Sets an easy handle up for one attempt: everything but the callbacks. False: libcurl is out of memory or lacks
 * what is asked. */
bool cai_request_apply(const cai_request *request, const cai_client *client, CURL *easy);

#endif
