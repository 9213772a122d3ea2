/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_REQUEST_H
#define CAI_REQUEST_H

#include "client.h"
#include "retry.h"
#include "url.h"

#include <stdbool.h>
#include <stddef.h>

/* What one call asks of the service, the same at each attempt. */
typedef struct {
  cai_method method;
  char *path; /* below the base URL, escaped; owned */
  char *url;  /* whole; owned */
  char *body; /* JSON, or NULL; owned */
  size_t body_length;
} cai_request;

/* Fills a request with copies. False: out of memory, nothing is owned. The segments must be checked
 * (cai_segment_check). */
bool cai_request_init(cai_request *request, const cai_client *client, cai_method method, const cai_segment *segments,
                      size_t count, const char *body, size_t body_length);

/* Wipes and frees what it owns. Idempotent. */
void cai_request_clear(cai_request *request);

/* Whether it must travel on a connection of its own: all that changes something. libcurl itself sends a request again
 * when a reused connection breaks without an answer (platform page). A create would happen twice, a delete would be
 * answered by 404 for what it did, and the 401 to a client that disabled its own key would pass for a refusal. */
bool cai_request_is_exclusive(const cai_request *request);

/* Sets an easy handle up for one attempt: everything but the callbacks. False: libcurl is out of memory or lacks
 * what is asked. */
bool cai_request_apply(const cai_request *request, const cai_client *client, CURL *easy);

#endif
