/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_CALL_H
#define CAI_CALL_H

#include "lane.h"
#include "origin.h"
#include "request.h"
#include "transfer.h"

/* One API operation: its request, its attempts with their waits, its answer and its outcome. */

typedef enum {
  CAI_CALL_NEW = 0,
  CAI_CALL_WAITING,     /* for room at its origin */
  CAI_CALL_RUNNING,     /* an attempt is on the wire */
  CAI_CALL_BACKING_OFF, /* until `due` */
  CAI_CALL_FINISHED
} cai_call_state;

/* What happened at one attempt, for events. */
typedef struct {
  long status;      /* 0: no answer */
  cai_kind failure; /* of the transfer */
  double seconds;   /* from the attempt's start to its end */
  size_t bytes;     /* of the answer's body */
  double wait;      /* seconds until the next attempt; negative: it was the last */
} cai_attempt_record;

typedef struct cai_call {
  unsigned references;
  cai_client *client; /* a reference */
  cai_request request;
  int max_retries;       /* attempts after the first */
  cai_transfer transfer; /* of the last attempt; its body is the answer once finished */
  cai_call_state state;
  double started, due; /* the engine's clock, seconds: of the attempt under way; of the next one */
  double limit;        /* when the attempt under way ends at the latest, whatever libcurl says */
  double deadline;     /* when the call does; CAI_NEVER: it has none */
  bool unclear;
  bool by_folder; /* the attempt under way trusts a folder only (trust.h) */

  /* Once finished: */
  cai_kind kind;                  /* NONE: an answer with 2xx, or `already_done` */
  cai_outcome outcome;            /* as in cai_verdict */
  bool already_done;              /* a DELETE that an earlier, unclear attempt had done; there is no answer body */
  long status;                    /* of the last answer; 0: none */
  cai_envelope envelope;          /* likewise */
  double retry_after;             /* seconds; negative: none */
  char message[CAI_MESSAGE_SIZE]; /* for people, when `kind` is not NONE */

  cai_origin *origin;               /* the engine's; NULL: not found yet */
  bool admitted;                    /* it takes room there */
  cai_lane *lane;                   /* the engine's, of the attempt under way */
  struct cai_call *previous, *next; /* in the engine's list */
  int attempts;                     /* made so far */
  cai_attempt_record records[];     /* one for each attempt */
} cai_call;

/* A call with one reference, not yet started; it holds copies of what the options name. NULL: out of memory. */
cai_call *cai_call_new(cai_client *client, const cai_call_options *options);

cai_call *cai_call_retain(cai_call *call);
void cai_call_release(cai_call *call); /* accepts NULL */

/* For the engine: */

/* Begins the time that the whole call may take. */
void cai_call_begin(cai_call *call, double now);

/* Prepares the next attempt; the handle to run is call->transfer.easy. False: out of memory, and the call is to be
 * finished with cai_call_attempted. */
bool cai_call_attempt(cai_call *call, cai_sockets *sockets, double now);

/* Takes the end of an attempt in, when its handle is out of the multi: the call is then FINISHED or BACKING_OFF.
 * `random` from 0 up to 1. */
void cai_call_attempted(cai_call *call, CURLcode code, double now, double random);

/* Finishes a call before its end: as CANCELLED, or as TIMEOUT when its deadline has come. `reason`: for people ("the
 * client was closed"). */
void cai_call_abandon(cai_call *call, cai_kind kind, const char *reason, double now);

/* When a call in flight has to be looked at though nothing happens: to be begun again, or ended. */
double cai_call_due(const cai_call *call);

#endif
