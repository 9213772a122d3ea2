/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#include "clock.h"
#include "message.h"

#include <stdlib.h>
#include <string.h>

/* Seconds past the timeout of an attempt in which libcurl has to say that it is over. One that it has lost, after an
 * error of its own, say, would never end. */
#define GRACE 1.0

cai_call *cai_call_new(cai_client *client, const cai_call_options *options) {
  int max_retries = options->no_retry ? 0 : client->max_retries;
  cai_call *call = calloc(1, sizeof *call + (1 + (size_t)max_retries) * sizeof call->records[0]);
  if (call == NULL)
    return NULL;
  if (!cai_request_init(&call->request, client, options)) {
    free(call);
    return NULL;
  }
  call->references = 1;
  call->max_retries = max_retries;
  call->client = cai_client_retain(client);
  call->retry_after = -1;
  call->deadline = CAI_NEVER;
  cai_buffer_init(&call->transfer.body, client->max_response_bytes);
  return call;
}

cai_call *cai_call_retain(cai_call *call) {
  call->references++;
  return call;
}

void cai_call_release(cai_call *call) {
  if (call == NULL || --call->references > 0)
    return;
  cai_transfer_clear(&call->transfer);
  cai_request_clear(&call->request);
  cai_client_release(call->client);
  cai_wipe(call->message, sizeof call->message);
  free(call);
}

void cai_call_begin(cai_call *call, double now) {
  call->deadline = call->client->deadline > 0 ? now + (double)call->client->deadline / 1e3 : CAI_NEVER;
}

double cai_call_due(const cai_call *call) {
  double due = call->state == CAI_CALL_BACKING_OFF ? call->due : call->deadline;
  return call->state == CAI_CALL_RUNNING ? fmin(due, call->limit) : due;
}

bool cai_call_attempt(cai_call *call, cai_sockets *sockets, double now) {
  cai_transfer_clear(&call->transfer);
  call->state = CAI_CALL_RUNNING;
  call->started = now;
  call->limit = now + (double)call->client->timeout / 1e3 + GRACE;
  call->attempts++;
  call->by_folder = call->client->trust.folder != NULL;
  return cai_transfer_begin(&call->transfer, &call->request, call->client, sockets, call);
}

static cai_verdict judge(const cai_call *call, const cai_attempt *attempt, double random) {
  cai_situation situation = {.method = call->request.method,
                             .attempt = call->attempts,
                             .max_retries = call->max_retries,
                             .unclear = call->unclear,
                             .random = random};
  return cai_retry_judge(&situation, attempt);
}

static void record(cai_call *call, const cai_attempt *attempt, double wait, double now) {
  if (call->attempts == 0)
    return;
  call->records[call->attempts - 1] = (cai_attempt_record){.status = attempt->status,
                                                           .failure = attempt->failure,
                                                           .seconds = now - call->started,
                                                           .bytes = call->transfer.body.length,
                                                           .wait = wait};
}

static void finish(cai_call *call, const cai_attempt *attempt, const cai_verdict *verdict) {
  call->state = CAI_CALL_FINISHED;
  call->kind = verdict->kind;
  call->outcome = verdict->outcome;
  call->already_done = verdict->already_done;
  call->status = attempt->status;
  call->envelope = attempt->envelope;
  call->retry_after = attempt->retry_after;
}

/* Whether a certificate was refused that other authorities may vouch for: then the attempt did not count, and is made
 * again with those. Nothing of the request was sent. */
static bool attempt_again(cai_call *call, CURLcode code, double now) {
  if (code != CURLE_PEER_FAILED_VERIFICATION || !call->by_folder || !cai_transfer_is_unsent(&call->transfer))
    return false;
  if (call->client->trust.folder != NULL && !cai_trust_widen(&call->client->trust))
    return false;
  cai_transfer_end(&call->transfer);
  call->attempts--;
  call->state = CAI_CALL_BACKING_OFF;
  call->due = now;
  return true;
}

void cai_call_attempted(cai_call *call, CURLcode code, double now, double random) {
  if (call->transfer.easy != NULL && attempt_again(call, code, now))
    return;
  cai_attempt attempt = {.failure = CAI_KIND_NETWORK, .unsent = true, .retry_after = -1};
  if (call->transfer.easy != NULL)
    attempt = cai_transfer_facts(&call->transfer, code);
  else
    code = CURLE_OUT_OF_MEMORY;
  cai_verdict verdict = judge(call, &attempt, random);
  verdict.again = verdict.again && now + verdict.wait < call->deadline; /* else the pause would be for nothing */
  record(call, &attempt, verdict.again ? verdict.wait : -1, now);
  call->unclear = verdict.unclear;
  cai_transfer_end(&call->transfer);
  if (verdict.again) {
    call->state = CAI_CALL_BACKING_OFF;
    call->due = now + verdict.wait;
    return;
  }
  finish(call, &attempt, &verdict);
  if (verdict.kind != CAI_KIND_NONE)
    cai_message_write(call->message, call, code);
}

void cai_call_abandon(cai_call *call, cai_kind kind, const char *reason, double now) {
  cai_attempt attempt = {.failure = kind, .unsent = true, .retry_after = -1};
  if (call->transfer.easy != NULL)
    attempt.unsent = cai_transfer_is_unsent(&call->transfer);
  cai_verdict verdict = judge(call, &attempt, 0);
  call->unclear = verdict.unclear;
  if (call->state == CAI_CALL_RUNNING)
    record(call, &attempt, -1, now);
  else if (call->state == CAI_CALL_BACKING_OFF && call->attempts > 0)
    call->records[call->attempts - 1].wait = -1; /* there will be no other */
  cai_transfer_end(&call->transfer); /* what came of an answer is kept: it may be all there is of a new secret */
  finish(call, &attempt, &verdict);
  cai_message_set(call->message, reason);
}
