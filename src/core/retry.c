/* SPDX-License-Identifier: Apache-2.0 */
#include "retry.h"

#include <curl/curl.h>
#include <string.h>

#define FIRST_WAIT 0.5
#define LONGEST_WAIT 8.0

/* The most that Retry-After is read as (seconds): far past what is waited for, and exact in every Lua. */
#define LONGEST_READ 1e9

const char *cai_method_name(cai_method method) {
  static const char *const names[] = {
      [CAI_GET] = "GET", [CAI_POST] = "POST", [CAI_PUT] = "PUT", [CAI_DELETE] = "DELETE"};
  return names[method];
}

bool cai_method_changes(cai_method method) {
  return method != CAI_GET;
}

static cai_kind kind_of(const cai_attempt *attempt) {
  if (attempt->failure != CAI_KIND_NONE)
    return attempt->failure;
  if (attempt->status >= 200 && attempt->status <= 299)
    return CAI_KIND_NONE;
  if (attempt->status >= 400 && attempt->status <= 599)
    return CAI_KIND_API;
  return CAI_KIND_PROTOCOL;
}

/* Returns true if an answer is the service's own refusal, which is certain not to have taken effect. A proxy makes 408
 * and 499 after it has passed the request on, and may copy the body from elsewhere. */
static bool is_refused(const cai_attempt *attempt) {
  if (attempt->failure != CAI_KIND_NONE || attempt->envelope != CAI_ENVELOPE_FAILURE)
    return false;
  if (attempt->status == 408 || attempt->status == 499)
    return false;
  return (attempt->status >= 400 && attempt->status <= 499) || attempt->status == 503;
}

/* Returns true if another attempt may end better. */
static bool may_pass(cai_kind kind, const cai_attempt *attempt) {
  long status = attempt->status;
  if (attempt->refused_by_proxy)
    return false;
  if (kind == CAI_KIND_NETWORK || kind == CAI_KIND_TIMEOUT)
    return true;
  return kind == CAI_KIND_API && (status == 429 || status == 500 || status == 502 || status == 503 || status == 504);
}

double cai_retry_backoff(int attempt, double random) {
  double wait = FIRST_WAIT;
  for (int i = 1; i < attempt && wait < LONGEST_WAIT; i++)
    wait *= 2;
  if (wait > LONGEST_WAIT)
    wait = LONGEST_WAIT;
  return wait * (0.5 + 0.5 * random);
}

cai_verdict cai_retry_judge(const cai_situation *situation, const cai_attempt *attempt) {
  cai_verdict verdict = {.kind = kind_of(attempt), .unclear = situation->unclear};
  bool changes = cai_method_changes(situation->method);
  if (verdict.kind == CAI_KIND_NONE)
    return verdict;
  if (situation->method == CAI_DELETE && situation->unclear && is_refused(attempt) && attempt->status == 404) {
    verdict.already_done = true;
    verdict.kind = CAI_KIND_NONE;
    return verdict;
  }
  if (changes && !attempt->unsent && !is_refused(attempt))
    verdict.unclear = true;
  if (changes)
    verdict.outcome = verdict.unclear ? CAI_OUTCOME_UNKNOWN : CAI_OUTCOME_NOT_APPLIED;
  verdict.again = may_pass(verdict.kind, attempt) && situation->attempt <= situation->max_retries &&
                  attempt->retry_after <= CAI_RETRY_AFTER_LONGEST &&
                  (situation->method != CAI_POST || !verdict.unclear);
  if (verdict.again)
    verdict.wait =
        attempt->retry_after >= 0 ? attempt->retry_after : cai_retry_backoff(situation->attempt, situation->random);
  return verdict;
}

/* Reads "30" or "30.25" as whole seconds, rounded up. Negative: it is not such a number. */
static double read_seconds(const char *text) {
  size_t digits = strspn(text, "0123456789"), decimals = 0;
  const char *end = text + digits;
  if (digits > 0 && *end == '.') {
    decimals = strspn(end + 1, "0123456789");
    end += decimals > 0 ? 1 + decimals : 0;
  }
  if (digits == 0 || *end != '\0')
    return -1;
  double seconds = 0;
  for (size_t i = 0; i < digits && seconds < LONGEST_READ; i++)
    seconds = seconds * 10 + (text[i] - '0');
  if (strspn(end - decimals, "0") < decimals)
    seconds++;
  return seconds < LONGEST_READ ? seconds : LONGEST_READ;
}

double cai_retry_after_parse(const char *text, time_t now) {
  double seconds = read_seconds(text);
  if (seconds >= 0)
    return seconds;
  time_t at = curl_getdate(text, NULL); /* https://curl.se/libcurl/c/curl_getdate.html: RFC 9110's three forms */
  if (at == -1)
    return LONGEST_WAIT;
  seconds = difftime(at, now);
  if (seconds < 0)
    return 0;
  return seconds < LONGEST_READ ? seconds : LONGEST_READ;
}
