/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPEC_LOOPBACK_H
#define SPEC_LOOPBACK_H

#include <stddef.h>

/* A scripted HTTP/1.1 server on 127.0.0.1, in threads of its own. It knows nothing of the code under test: a script
 * says what to do with each request in order of arrival, the last step again and again, and everything that came in is
 * counted and kept. */

typedef enum {
  LOOPBACK_ANSWER = 0,   /* read the request, send `bytes`, keep the connection */
  LOOPBACK_ANSWER_CLOSE, /* the same, then close */
  LOOPBACK_SILENT,       /* read the request, close without a byte: a service that applies and dies */
  LOOPBACK_RESET,        /* read the request, close with RST */
  LOOPBACK_HANG,         /* read the request, then nothing until the client goes */
  LOOPBACK_DRIP,         /* send `bytes` one by one, `pause` between them, keep the connection */
  LOOPBACK_ENDLESS,      /* send `bytes`, then `filler` until the client goes */
  LOOPBACK_SLAM,         /* read the request, stop listening, close without a byte: a later connect is refused */
  LOOPBACK_CLOSE_UNREAD, /* at accept: close without reading */
  LOOPBACK_RESET_UNREAD, /* at accept: RST without reading */
  LOOPBACK_HANG_UNREAD   /* at accept: nothing until the client goes */
} loopback_action;

typedef struct {
  loopback_action action;
  const char *bytes;  /* NULL: none */
  const char *filler; /* of ENDLESS */
  int pause;          /* milliseconds before the answer, or between the bytes of DRIP */
} loopback_step;

typedef struct loopback loopback;

/* Starts a server on a free port; the script must outlive it. Aborts when the system gives no socket. */
loopback *loopback_start(const loopback_step *script, size_t steps);
void loopback_stop(loopback *server);

int loopback_port(const loopback *server);
int loopback_connections(loopback *server); /* accepted so far */
int loopback_requests(loopback *server);    /* read whole so far */
size_t loopback_received(loopback *server); /* bytes */

/* The raw text of request number `index` (from 0), NUL-terminated, or NULL. It lives as long as the server. */
const char *loopback_request(loopback *server, int index);

/* How many requests began with `start`, such as "POST ". */
int loopback_count(loopback *server, const char *start);

#endif
