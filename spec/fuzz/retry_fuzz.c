/* SPDX-License-Identifier: Apache-2.0 */
/* A line with a Retry-After, and bytes that make up an attempt and its situation. A wait is never negative and never
 * longer than said; "not applied" is never said of what may have been. */
#include "../../src/core/retry.h"
#include "fuzz.h"

#include <math.h>

#define NOW ((time_t)1795442400) /* in November 2026 */

/* Whatever is longer is read as this (seconds). */
#define LONGEST_READABLE 1e9

/* What cannot be read is read as this (seconds). */
#define UNREADABLE 8

/* Where a name of three letters stands in a list of them; -1: it does not. */
static int index_of(const char *names, const char *name) {
  const char *found = strlen(name) == 3 ? strstr(names, name) : NULL;
  return found == NULL || (found - names) % 3 != 0 ? -1 : (int)(found - names) / 3;
}

/* RFC 9110, 5.6.7, the one form that is to be sent: "Sun, 06 Nov 1994 08:49:37 GMT". Our own reading of it. */
static bool read_date(const char *text, time_t *at) {
  static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  char weekday[4] = "", month[4] = "", again[64];
  struct tm tm = {.tm_isdst = 0};
  if (sscanf(text, "%3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d", weekday, &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour,
             &tm.tm_min, &tm.tm_sec) != 7)
    return false;
  snprintf(again, sizeof again, "%s, %02d %s %04d %02d:%02d:%02d GMT", weekday, tm.tm_mday, month, tm.tm_year,
           tm.tm_hour, tm.tm_min, tm.tm_sec);
  tm.tm_mon = index_of("JanFebMarAprMayJunJulAugSepOctNovDec", month);
  if (strcmp(text, again) != 0 || index_of("SunMonTueWedThuFriSat", weekday) < 0 || tm.tm_mon < 0 ||
      tm.tm_year < 1970 || tm.tm_mday < 1 || tm.tm_mday > lengths[tm.tm_mon] || tm.tm_hour < 0 || tm.tm_hour > 23 ||
      tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 59)
    return false;
  tm.tm_year -= 1900;
  *at = timegm(&tm);
  return true;
}

static double try_header(const char *text) {
  double wait = cai_retry_after_parse(text, NOW);
  size_t digits = strspn(text, "0123456789");
  time_t at;
  REQUIRE(wait >= 0 && wait <= LONGEST_READABLE && wait == floor(wait), "\"%s\" is %g", text, wait);
  REQUIRE(wait == UNREADABLE || strpbrk(text, "0123456789") != NULL, "\"%s\" is %g", text, wait);
  if (digits > 0 && text[digits] == '\0') {
    double number = strtod(text, NULL);
    REQUIRE(wait == fmin(number, LONGEST_READABLE), "\"%s\" is %g", text, wait);
  } else if (read_date(text, &at)) {
    REQUIRE(wait == fmax(0, fmin(difftime(at, NOW), LONGEST_READABLE)), "\"%s\" is %g", text, wait);
  }
  return wait;
}

static void require_verdict(const cai_situation *s, const cai_attempt *a, const cai_verdict *v) {
  bool answered = a->failure == CAI_KIND_NONE, changes = s->method != CAI_GET;
  bool success = answered && a->status >= 200 && a->status <= 299;
  REQUIRE((v->kind == CAI_KIND_NONE) == (success || v->already_done), "kind %d of status %ld", (int)v->kind, a->status);
  REQUIRE(!v->already_done || (s->method == CAI_DELETE && s->unclear && answered && a->status == 404 &&
                               a->envelope == CAI_ENVELOPE_FAILURE),
          "already done");
  REQUIRE(v->unclear || !s->unclear, "what was unclear is clear");
  REQUIRE(v->kind == CAI_KIND_NONE || (v->outcome == CAI_OUTCOME_NONE) == !changes, "outcome %d", (int)v->outcome);
  if (v->outcome == CAI_OUTCOME_NOT_APPLIED) {
    bool refused = answered && a->envelope == CAI_ENVELOPE_FAILURE && a->status != 408 && a->status != 499 &&
                   ((a->status >= 400 && a->status < 500) || a->status == 503);
    REQUIRE(!s->unclear && (a->unsent || refused), "not applied: status %ld, failure %d", a->status, (int)a->failure);
  }
  if (v->again) {
    REQUIRE(v->kind != CAI_KIND_NONE && s->attempt <= s->max_retries, "attempt %d once more", s->attempt);
    REQUIRE(!a->refused_by_proxy, "what the proxy refuses is sent again");
    REQUIRE(v->wait >= 0 && v->wait <= CAI_RETRY_AFTER_LONGEST, "a wait of %g", v->wait);
    REQUIRE(a->retry_after < 0 || v->wait >= a->retry_after, "%g instead of %g", v->wait, a->retry_after);
    REQUIRE(s->method != CAI_POST || v->outcome == CAI_OUTCOME_NOT_APPLIED, "a create that may be there is sent again");
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  static const long statuses[] = {0,   100, 199, 200, 201, 204, 299, 301, 399,
                                  400, 401, 404, 408, 429, 499, 500, 502, 503};
  fuzz_input input = {(const char *)bytes, length};
  size_t size;
  char *text = fuzz_line(&input, &size);
  cai_attempt attempt = {.retry_after = try_header(text)};
  free(text);
  cai_situation situation = {.method = (cai_method)(fuzz_byte(&input) % 4),
                             .attempt = 1 + fuzz_byte(&input) % 22,
                             .max_retries = fuzz_byte(&input) % 21,
                             .random = fuzz_byte(&input) / 256.0};
  unsigned char flags = fuzz_byte(&input), status = fuzz_byte(&input);
  situation.unclear = flags & 1;
  attempt.unsent = flags & 2;
  attempt.envelope = flags & 4 ? CAI_ENVELOPE_FAILURE : CAI_ENVELOPE_NONE;
  attempt.refused_by_proxy = flags & 16;
  attempt.failure = flags & 8 ? (cai_kind)(fuzz_byte(&input) % CAI_KIND_COUNT) : CAI_KIND_NONE;
  attempt.status = status < 128 ? statuses[status % (sizeof statuses / sizeof statuses[0])] : 4L * status;
  cai_verdict verdict = cai_retry_judge(&situation, &attempt);
  require_verdict(&situation, &attempt, &verdict);
  double backoff = cai_retry_backoff(situation.attempt, situation.random);
  REQUIRE(backoff >= 0.25 && backoff <= 8, "attempt %d waits %g", situation.attempt, backoff);
  return 0;
}
