/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_TRANSFER_H
#define CAI_TRANSFER_H

#include "buffer.h"
#include "request.h"
#include "sockets.h"

#include <time.h>

/* Why a proxy passes nothing on, and will not however often it is asked. */
typedef enum { CAI_PROXY_PASSES = 0, CAI_PROXY_WANTS_PASSWORD, CAI_PROXY_FORBIDS } cai_proxy_refusal;

/* Retry-After headers of one answer that are read: a proxy may add its own to the service's. */
#define CAI_RETRY_AFTERS 4

/* One attempt on the wire: an easy handle and what came back. */
typedef struct {
  CURL *easy; /* NULL: none under way */
  cai_buffer body;
  size_t header_bytes;
  bool body_over_cap, headers_over_cap, no_memory; /* why it was ended from this side */
  bool headers_malformed;                          /* a status line or a header is none */
  bool multiplexed;                                /* it was answered over HTTP/2 */
  cai_proxy_refusal proxy;                         /* a proxy's word instead of the service's */
  bool in_trailers;                                /* the headers are over: what follows the body may be anybody's */
  char retry_after[CAI_RETRY_AFTERS][64];          /* the headers' texts; "": none, or no more */
  char date[64];                                   /* likewise */
  char error[CURL_ERROR_SIZE];                     /* libcurl's words for a failure */
} cai_transfer;

/* Headers of one answer may take this much (bytes); keys have small ones. */
#define CAI_HEADERS_LIMIT ((size_t)256 * 1024)

/* Makes the easy handle, for the engine to run; `owner` comes back as CURLINFO_PRIVATE. Sockets are opened and closed
 * in `sockets`, which outlives the connection. False: out of memory, nothing is held. The transfer must be clear. */
bool cai_transfer_begin(cai_transfer *transfer, const cai_request *request, const cai_client *client,
                        cai_sockets *sockets, void *owner);

/* What the transfer came to, read before the handle goes. `code` is libcurl's result. */
cai_attempt cai_transfer_facts(cai_transfer *transfer, CURLcode code);

/* The Date of the answer (UTC), or -1. */
time_t cai_transfer_date(const cai_transfer *transfer);

/* Whether the request provably never left: no byte of it, or nothing past the connection's set-up. A result code
 * never says so: on a reused connection, what libcurl sends again can end in COULDNT_CONNECT after the first was
 * applied. */
bool cai_transfer_is_unsent(const cai_transfer *transfer);

/* Sets the words for a failure that libcurl itself has none for. */
void cai_transfer_explain(cai_transfer *transfer, const char *words);

/* Frees the easy handle, which must be out of its multi; the answer stays. Idempotent. */
void cai_transfer_end(cai_transfer *transfer);

/* Wipes the answer and makes the transfer ready for the next attempt. */
void cai_transfer_clear(cai_transfer *transfer);

#endif
