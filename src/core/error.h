/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_ERROR_H
#define CAI_ERROR_H

#include <curl/curl.h>

/* Room for every message that the core writes, the final NUL included (bytes). */
#define CAI_MESSAGE_SIZE 512

/* What went wrong, in the words that the user sees in `err.kind`. */
typedef enum {
  CAI_KIND_NONE = 0,
  CAI_KIND_CONFIG,
  CAI_KIND_API,
  CAI_KIND_NETWORK,
  CAI_KIND_TIMEOUT,
  CAI_KIND_TLS,
  CAI_KIND_PROTOCOL,
  CAI_KIND_CANCELLED,
  CAI_KIND_GUARD,
  CAI_KIND_STORE, /* a store of secrets could not be read or written */
  CAI_KIND_STATE, /* the records of rotations could not be read or written, or somebody else holds them */
  CAI_KIND_COUNT
} cai_kind;

/* What a call that changes something has done. NONE: it changes nothing, or it succeeded. */
typedef enum { CAI_OUTCOME_NONE = 0, CAI_OUTCOME_NOT_APPLIED, CAI_OUTCOME_UNKNOWN } cai_outcome;

/* The word for a kind or an outcome; NULL for NONE. */
const char *cai_kind_name(cai_kind kind);
const char *cai_outcome_name(cai_outcome outcome);

/* The kind of a transfer's result. This is the only table of libcurl's codes; it says what a failure is called,
 * never whether the request was sent (see cai_transfer_facts). https://curl.se/libcurl/c/libcurl-errors.html */
cai_kind cai_kind_of_curl(CURLcode code);

#endif
