/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/retry.h"
#include "check.h"

/* The whole space of attempts and situations, held against the sentences of the reference page ("Errors": outcome,
 * retries), each stated on its own and none in the way the code decides. */

static const cai_method methods[] = {CAI_GET, CAI_POST, CAI_PUT, CAI_DELETE};
static const long statuses[] = {0,   200, 201, 204, 301, 400, 401, 403, 404, 407, 408, 409,
                                422, 429, 498, 499, 500, 501, 502, 503, 504, 520, 599};
/* Other bodies, such as a proxy's page or {"message": ..}, are all NONE (envelope_test.c). */
static const cai_envelope envelopes[] = {CAI_ENVELOPE_NONE, CAI_ENVELOPE_SUCCESS, CAI_ENVELOPE_FAILURE};
static const cai_kind failures[] = {CAI_KIND_NONE, CAI_KIND_NETWORK,  CAI_KIND_TIMEOUT,
                                    CAI_KIND_TLS,  CAI_KIND_PROTOCOL, CAI_KIND_CANCELLED};
static const double waits[] = {-1, 0, 5, 60, 61};
static const int limits[] = {0, 1, 3, 20};
static const double randoms[] = {0, 0.5, 0.999999};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One case, and what the rules call it. */
typedef struct {
  cai_situation situation;
  cai_attempt attempt;
  cai_verdict verdict;
  bool answered, success, changes;
} event;

static bool is_one_of(long status, const long *list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (list[i] == status)
      return true;
  }
  return false;
}

/* "The service's own word: an envelope with success: false and a 4xx (but 408 and 499, which a proxy makes after
 * passing the request on), or 503". */
static bool is_services_word(const event *e) {
  long status = e->attempt.status;
  return e->answered && e->attempt.envelope == CAI_ENVELOPE_FAILURE && status != 408 && status != 499 &&
         (status / 100 == 4 || status == 503);
}

/* "not_applied: provably unsent; or the service's own word". */
static bool is_proof_of_nothing(const event *e) {
  return e->attempt.unsent || is_services_word(e);
}

/* "GET and PUT on network failures, timeouts, 429, 500, 502, 503, 504; DELETE the same". */
static bool is_passing(const event *e) {
  static const long passing[] = {429, 500, 502, 503, 504};
  if (e->attempt.refused_by_proxy)
    return false;
  if (e->answered)
    return is_one_of(e->attempt.status, passing, COUNT(passing));
  return e->attempt.failure == CAI_KIND_NETWORK || e->attempt.failure == CAI_KIND_TIMEOUT;
}

/* "POST only while the outcome is not_applied by being unsent, or by an envelope with 429 or 503". */
static bool may_post_again(const event *e) {
  if (e->situation.unclear)
    return false;
  if (e->attempt.unsent)
    return true;
  return is_services_word(e) && (e->attempt.status == 429 || e->attempt.status == 503);
}

static bool counts_as_done(const event *e) {
  return e->situation.method == CAI_DELETE && e->situation.unclear && is_services_word(e) && e->attempt.status == 404;
}

static cai_kind right_kind(const event *e) {
  if (!e->answered)
    return e->attempt.failure;
  if (e->success || counts_as_done(e))
    return CAI_KIND_NONE;
  return e->attempt.status / 100 == 4 || e->attempt.status / 100 == 5 ? CAI_KIND_API : CAI_KIND_PROTOCOL;
}

static bool right_again(const event *e) {
  if (counts_as_done(e) || !is_passing(e) || e->attempt.retry_after > 60)
    return false;
  if (e->situation.attempt > e->situation.max_retries)
    return false;
  return e->situation.method != CAI_POST || may_post_again(e);
}

static cai_outcome right_outcome(const event *e) {
  if (!e->changes || e->success || counts_as_done(e))
    return CAI_OUTCOME_NONE;
  return e->situation.unclear || !is_proof_of_nothing(e) ? CAI_OUTCOME_UNKNOWN : CAI_OUTCOME_NOT_APPLIED;
}

#define CASE_FORMAT "%s %ld failure %d unsent %d after %g envelope %d proxy %d unclear %d attempt %d of 1+%d"
#define CASE_VALUES(e)                                                                                                 \
  cai_method_name((e)->situation.method), (e)->attempt.status, (int)(e)->attempt.failure, (e)->attempt.unsent,         \
      (e)->attempt.retry_after, (int)(e)->attempt.envelope, (e)->attempt.refused_by_proxy, (e)->situation.unclear,     \
      (e)->situation.attempt, (e)->situation.max_retries
#define CHECK_EVENT(condition) CHECK_CASE(condition, CASE_FORMAT, CASE_VALUES(e))

/* Sentences that must hold whatever the tables above say: a second net, of the dangers. */
static void check_dangers(const event *e) {
  const cai_verdict *v = &e->verdict;
  CHECK_EVENT(!e->situation.unclear || v->unclear);                          /* unclear never turns clear */
  CHECK_EVENT(!(e->situation.method == CAI_POST && v->unclear && v->again)); /* no second create */
  CHECK_EVENT(!(v->again && e->attempt.failure == CAI_KIND_TLS));
  CHECK_EVENT(!(v->again && e->attempt.failure == CAI_KIND_PROTOCOL));
  CHECK_EVENT(!(v->again && e->attempt.failure == CAI_KIND_CANCELLED));
  CHECK_EVENT(!(v->again && e->attempt.retry_after == 61));
  CHECK_EVENT(!(v->again && v->kind == CAI_KIND_NONE));
  CHECK_EVENT(!(v->outcome == CAI_OUTCOME_NOT_APPLIED && v->unclear));
  if (e->changes && !e->answered && !e->attempt.unsent) /* whatever else is known, an answer that is lost is unclear */
    CHECK_EVENT(v->unclear && v->outcome == CAI_OUTCOME_UNKNOWN);
  /* Of a request that left, only an envelope says that nothing came of it, or that the key is gone. */
  bool certain =
      v->outcome == CAI_OUTCOME_NOT_APPLIED || v->already_done || (v->again && e->situation.method == CAI_POST);
  CHECK_EVENT(!certain || e->attempt.unsent || e->attempt.envelope == CAI_ENVELOPE_FAILURE);
  CHECK_EVENT(!(v->again && e->attempt.refused_by_proxy)); /* proxies lock accounts */
}

static void check_wait(const event *e) {
  if (!e->verdict.again)
    return;
  double full = 0.5 * (double)(1u << (e->situation.attempt - 1));
  full = full > 8 ? 8 : full;
  if (e->attempt.retry_after >= 0)
    CHECK_EVENT(e->verdict.wait == e->attempt.retry_after);
  else
    CHECK_EVENT(e->verdict.wait >= full / 2 && e->verdict.wait <= full);
}

static void check_event(event *e) {
  e->answered = e->attempt.failure == CAI_KIND_NONE;
  e->success = e->answered && e->attempt.status / 100 == 2;
  e->changes = e->situation.method != CAI_GET;
  e->verdict = cai_retry_judge(&e->situation, &e->attempt);
  CHECK_EVENT(e->verdict.kind == right_kind(e));
  CHECK_EVENT(e->verdict.again == right_again(e));
  CHECK_EVENT(e->verdict.outcome == right_outcome(e));
  CHECK_EVENT(e->verdict.already_done == counts_as_done(e));
  bool unclear = e->situation.unclear || (e->changes && !e->success && !is_proof_of_nothing(e));
  CHECK_EVENT(e->verdict.unclear == unclear);
  check_dangers(e);
  check_wait(e);
}

static void check_situations(event *e) {
  for (size_t method = 0; method < COUNT(methods); method++) {
    e->situation.method = methods[method];
    for (size_t limit = 0; limit < COUNT(limits); limit++) {
      e->situation.max_retries = limits[limit];
      for (int attempt = 1; attempt <= limits[limit] + 1; attempt += attempt < 5 ? 1 : 4) {
        e->situation.attempt = attempt;
        e->situation.random = randoms[(size_t)attempt % COUNT(randoms)];
        for (int unclear = 0; unclear < 2; unclear++) {
          e->situation.unclear = unclear;
          check_event(e);
        }
      }
    }
  }
}

static void the_whole_space(void) {
  event e = {.verdict.kind = CAI_KIND_NONE};
  for (size_t status = 0; status < COUNT(statuses); status++) {
    e.attempt.status = statuses[status];
    for (size_t failure = 0; failure < COUNT(failures); failure++) {
      e.attempt.failure = failures[failure];
      for (size_t wait = 0; wait < COUNT(waits); wait++) {
        e.attempt.retry_after = waits[wait];
        for (int bits = 0; bits < 12; bits++) {
          e.attempt.unsent = bits & 1;
          e.attempt.refused_by_proxy = bits >> 1 & 1;
          e.attempt.envelope = envelopes[bits >> 2];
          check_situations(&e);
        }
      }
    }
  }
}

/* Whole calls, as the page tells them, in case the sentences and the enumeration share a misreading. */
static void a_create_whose_answer_is_lost_is_sent_once(void) {
  cai_situation situation = {.method = CAI_POST, .attempt = 1, .max_retries = 3};
  cai_attempt lost = {.failure = CAI_KIND_NETWORK, .retry_after = -1};
  cai_verdict verdict = cai_retry_judge(&situation, &lost);
  CHECK(!verdict.again && verdict.outcome == CAI_OUTCOME_UNKNOWN && verdict.kind == CAI_KIND_NETWORK);
  lost.unsent = true;
  verdict = cai_retry_judge(&situation, &lost);
  CHECK(verdict.again && verdict.outcome == CAI_OUTCOME_NOT_APPLIED);
}

static void a_delete_whose_first_answer_is_lost_ends_well(void) {
  cai_situation situation = {.method = CAI_DELETE, .attempt = 1, .max_retries = 3};
  cai_attempt gone = {.status = 404, .retry_after = -1, .envelope = CAI_ENVELOPE_FAILURE};
  cai_verdict verdict = cai_retry_judge(&situation, &gone);
  CHECK(!verdict.already_done && verdict.kind == CAI_KIND_API && verdict.outcome == CAI_OUTCOME_NOT_APPLIED);
  situation = (cai_situation){.method = CAI_DELETE, .attempt = 2, .max_retries = 3, .unclear = true};
  verdict = cai_retry_judge(&situation, &gone);
  CHECK(verdict.already_done && verdict.kind == CAI_KIND_NONE && verdict.outcome == CAI_OUTCOME_NONE);
  gone.failure = CAI_KIND_NETWORK; /* a 404 that broke off proves nothing */
  CHECK(!cai_retry_judge(&situation, &gone).already_done);
}

/* A proxy whose upstream is away for a moment answers for it. */
static void a_delete_is_not_done_because_a_proxy_finds_no_backend(void) {
  cai_situation situation = {.method = CAI_DELETE, .attempt = 2, .max_retries = 3, .unclear = true};
  cai_attempt page = {.status = 404, .retry_after = -1};
  cai_verdict verdict = cai_retry_judge(&situation, &page);
  CHECK(!verdict.already_done && verdict.kind == CAI_KIND_API && verdict.outcome == CAI_OUTCOME_UNKNOWN);
}

static void a_create_is_not_sent_again_because_a_proxy_limits_its_rate(void) {
  cai_situation situation = {.method = CAI_POST, .attempt = 1, .max_retries = 3};
  cai_attempt busy = {.status = 429, .retry_after = 1};
  cai_verdict verdict = cai_retry_judge(&situation, &busy);
  CHECK(!verdict.again && verdict.outcome == CAI_OUTCOME_UNKNOWN);
  busy.envelope = CAI_ENVELOPE_FAILURE;
  verdict = cai_retry_judge(&situation, &busy);
  CHECK(verdict.again && verdict.wait == 1 && verdict.outcome == CAI_OUTCOME_NOT_APPLIED);
}

static void backoff_doubles_up_to_eight_seconds(void) {
  static const double full[] = {0.5, 1, 2, 4, 8, 8, 8};
  for (int attempt = 1; attempt <= 7; attempt++) {
    CHECK(cai_retry_backoff(attempt, 0) == full[attempt - 1] / 2);
    CHECK(cai_retry_backoff(attempt, 0.5) == full[attempt - 1] * 0.75);
    CHECK(cai_retry_backoff(attempt, 0.999999) <= full[attempt - 1]);
  }
  CHECK(cai_retry_backoff(1000000, 0.999999) <= 8);
  CHECK(cai_retry_backoff(1000000, 0) == 4);
}

static void methods_have_names(void) {
  CHECK_TEXT(cai_method_name(CAI_GET), "GET");
  CHECK_TEXT(cai_method_name(CAI_POST), "POST");
  CHECK_TEXT(cai_method_name(CAI_PUT), "PUT");
  CHECK_TEXT(cai_method_name(CAI_DELETE), "DELETE");
  CHECK(!cai_method_changes(CAI_GET) && cai_method_changes(CAI_POST));
  CHECK(cai_method_changes(CAI_PUT) && cai_method_changes(CAI_DELETE));
}

int main(void) {
  the_whole_space();
  a_create_whose_answer_is_lost_is_sent_once();
  a_delete_whose_first_answer_is_lost_ends_well();
  a_delete_is_not_done_because_a_proxy_finds_no_backend();
  a_create_is_not_sent_again_because_a_proxy_limits_its_rate();
  backoff_doubles_up_to_eight_seconds();
  methods_have_names();
  return check_end();
}
