/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/retry.h"
#include "check.h"

/* Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110's examples. */
#define EXAMPLE ((time_t)784111777)

static const struct {
  const char *text;
  double seconds;
} seconds[] = {
    {"0", 0},   {"1", 1},       {"5", 5},        {"60", 60},          {"61", 61},
    {"007", 7}, {"3600", 3600}, {"30.0", 30},    {"30.00000000", 30}, {"0.0", 0},
    {"0.5", 1}, {"5.5", 6},     {"29.0001", 30}, {"60.01", 61},       {"59.9", 60},
};

static const char *const unreadable[] = {
    "",     " ",   "soon",  "-5",   "-0",  "1e3",    "0x10", "5 seconds", "Sun, 99 Nov 1994 08:49:37 GMT",
    "Sun,", "GMT", "+",     "+5",   "5s",  "5,5",    "5.",   ".5",        "5.5.5",
    "5.x",  "?",   "PT30S", "five", "30 ", "\"30\"",
};

/* RFC 9110, 5.6.7: IMF-fixdate, and the two obsolete forms that a recipient must take. */
static const char *const forms[] = {
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
};

static void seconds_are_read(void) {
  for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++)
    CHECK_CASE(cai_retry_after_parse(seconds[i].text, EXAMPLE) == seconds[i].seconds, "\"%s\"", seconds[i].text);
}

static void dates_are_held_against_now(void) {
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    CHECK_CASE(cai_retry_after_parse(forms[i], EXAMPLE - 42) == 42, "%s", forms[i]);
    CHECK_CASE(cai_retry_after_parse(forms[i], EXAMPLE) == 0, "%s", forms[i]);
    CHECK_CASE(cai_retry_after_parse(forms[i], EXAMPLE + 42) == 0, "%s: past", forms[i]);
  }
  CHECK(cai_retry_after_parse("Fri, 31 Dec 9999 23:59:59 GMT", EXAMPLE) > CAI_RETRY_AFTER_LONGEST);
}

/* Three retries within four seconds are no answer to a service that asks for time. */
static void a_pause_that_cannot_be_read_is_the_longest_of_our_own(void) {
  for (size_t i = 0; i < sizeof unreadable / sizeof unreadable[0]; i++) {
    double wait = cai_retry_after_parse(unreadable[i], EXAMPLE);
    CHECK_CASE(wait == 8, "\"%s\" read as %g", unreadable[i], wait);
  }
}

/* However long a number is, it stays a number and stays too long to be waited for. */
static void long_numbers_stay_long(void) {
  char text[400];
  for (size_t digits = 3; digits < sizeof text; digits++) {
    memset(text, '9', digits);
    text[digits] = '\0';
    double wait = cai_retry_after_parse(text, EXAMPLE);
    CHECK_CASE(wait > CAI_RETRY_AFTER_LONGEST && wait <= 1e9, "%zu digits: %g", digits, wait);
  }
}

/* Found by fuzzing: libcurl reads years of ten digits, further away than a number of Lua counts seconds. */
static void a_far_year_stays_a_number(void) {
  CHECK(cai_retry_after_parse("Sat, 01 Jan 1599999983 00:00:00 GMT", EXAMPLE) == 1e9);
}

int main(void) {
  seconds_are_read();
  dates_are_held_against_now();
  a_pause_that_cannot_be_read_is_the_longest_of_our_own();
  long_numbers_stay_long();
  a_far_year_stays_a_number();
  return check_end();
}
