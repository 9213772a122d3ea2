/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_RETRY_H
#define CAI_RETRY_H

#include "envelope.h"
#include "error.h"

#include <stdbool.h>
#include <time.h>

/* The rules of retrying and of outcomes, as pure functions: no clock, no libcurl, no state. */

typedef enum { CAI_GET = 0, CAI_POST, CAI_PUT, CAI_DELETE } cai_method;

const char *cai_method_name(cai_method method);

/* Whether a method changes something on the service. */
bool cai_method_changes(cai_method method);

/* What one attempt came to. */
typedef struct {
  cai_kind failure;      /* of the transfer; NONE: a complete answer arrived */
  bool unsent;           /* the request provably did not leave, see cai_transfer_is_unsent */
  bool refused_by_proxy; /* the proxy refuses to pass anything on, and will not change its mind */
  long status;           /* of the answer; 0: none */
  double retry_after;    /* seconds; negative: the answer names none */
  cai_envelope envelope; /* the answer's */
} cai_attempt;

/* Where in a call that attempt stands. */
typedef struct {
  cai_method method;
  int attempt;     /* 1 for the first */
  int max_retries; /* attempts after the first */
  bool unclear;    /* an earlier attempt may have taken effect */
  double random;   /* from 0 up to 1, for the jitter */
} cai_situation;

typedef struct {
  bool again;          /* try once more, after `wait` */
  double wait;         /* seconds */
  bool already_done;   /* a DELETE whose earlier, unclear attempt did it: this one's 404 says so */
  bool unclear;        /* this attempt or an earlier one may have taken effect */
  cai_kind kind;       /* of the failure if this is the end; NONE: an answer with a status of 2xx */
  cai_outcome outcome; /* if this is the end; NONE for reads and for a 2xx, which the body decides */
} cai_verdict;

cai_verdict cai_retry_judge(const cai_situation *situation, const cai_attempt *attempt);

/* Seconds to wait after attempt number `attempt`: 0.5 doubling to 8, with 50 to 100% jitter. */
double cai_retry_backoff(int attempt, double random);

/* The longest Retry-After that is waited for (seconds). */
#define CAI_RETRY_AFTER_LONGEST 60.0

/* Reads a Retry-After header (RFC 9110, 10.2.3): seconds, or a date held against `now`. Fractions of a second are
 * rounded up. A date that has passed is 0, and 1e9 stands for all that is longer. The service asks for a pause even if
 * its length cannot be read: then it is 8, the longest of our own. */
double cai_retry_after_parse(const char *text, time_t now);

#endif
