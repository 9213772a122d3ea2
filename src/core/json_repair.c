/* SPDX-License-Identifier: Apache-2.0 */
#include "json_repair.h"

#include <stdint.h>
#include <string.h>

/* Digits that every double holds, and the largest whole number up to which it holds all. */
#define EXACT_DIGITS 15
static const char largest[] = "9007199254740992";

/* Returns the code of an escape \uXXXX at `at`; -1: there is none. */
static int escaped_code(const char *at, const char *end) {
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  int code = 0;
  if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
    return -1;
  for (int i = 2; i < 6; i++) {
    const char *digit = memchr(digits, at[i], sizeof digits - 1);
    if (digit == NULL)
      return -1;
    code = code * 16 + (int)(digit - digits) % 16;
  }
  return code;
}

static bool is_high(int code) {
  return code >= 0xd800 && code < 0xdc00;
}

static bool is_low(int code) {
  return code >= 0xdc00 && code < 0xe000;
}

/* Steps over an escape of a string. Half of a pair is overwritten. */
static char *skip_escape(char *at, const char *end) {
  static const char replacement[] = {'f', 'f', 'f', 'd'};
  int code = escaped_code(at, end);
  if (code < 0)
    return end - at < 2 ? at + 1 : at + 2;
  if (is_high(code) && is_low(escaped_code(at + 6, end)))
    return at + 12;
  if (is_high(code) || is_low(code))
    memcpy(at + 2, replacement, sizeof replacement);
  return at + 6;
}

/* Steps over a string whose quote is at `at`. */
static char *skip_string(char *at, const char *end) {
  for (at++; at < end && *at != '"';)
    at = *at == '\\' ? skip_escape(at, end) : at + 1;
  return at < end ? at + 1 : at;
}

/* Returns the end of a number, and says whether a double holds it exactly, as far as its digits tell. */
static char *skip_number(char *at, const char *end, bool *exact) {
  const char *first = *at == '-' ? at + 1 : at;
  int digits = 0;
  bool whole = true;
  for (at++; at < end && *at != '\0' && strchr("0123456789.eE+-", *at) != NULL; at++)
    whole = whole && *at >= '0' && *at <= '9';
  for (const char *c = first; c < at && *c != 'e' && *c != 'E'; c++)
    digits += *c >= '0' && *c <= '9';
  *exact = digits <= EXACT_DIGITS ||
           (whole && digits == (int)sizeof largest - 1 && memcmp(first, largest, sizeof largest - 1) <= 0);
  return at;
}

/* Returns the next number that is not exact, and its end; NULL: there is none. `at` is outside of strings. */
static char *find_number(char *at, char *end, char **number_end) {
  while (at < end) {
    if (*at == '"') {
      at = skip_string(at, end);
    } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
      bool exact;
      char *number = at;
      at = *number_end = skip_number(at, end, &exact);
      if (!exact)
        return number;
    } else {
      at++;
    }
  }
  return NULL;
}

/* Appends `length` bytes at `from`, then the number up to `end` as a string. */
static bool append_quoted(cai_buffer *copy, const char *from, const char *number, const char *end) {
  return cai_buffer_append(copy, from, (size_t)(number - from)) == CAI_BUFFER_OK &&
         cai_buffer_append(copy, "\"", 1) == CAI_BUFFER_OK &&
         cai_buffer_append(copy, number, (size_t)(end - number)) == CAI_BUFFER_OK &&
         cai_buffer_append(copy, "\"", 1) == CAI_BUFFER_OK;
}

bool cai_json_repair(cai_buffer *text) {
  char *at = (char *)cai_buffer_join(text); /* the buffer is ours to change */
  if (at == NULL)
    return false;
  char *end = at + text->length, *number_end, *number = find_number(at, end, &number_end);
  if (number == NULL)
    return true;
  cai_buffer copy;
  cai_buffer_init(&copy, SIZE_MAX);
  /* Two quotes for each number, which has 16 characters at least: one block holds all. */
  bool done = cai_buffer_expect(&copy, text->length + text->length / 8 + 2) == CAI_BUFFER_OK;
  for (; done && number != NULL; number = find_number(at, end, &number_end)) {
    done = append_quoted(&copy, at, number, number_end);
    at = number_end;
  }
  if (!done || cai_buffer_append(&copy, at, (size_t)(end - at)) != CAI_BUFFER_OK) {
    cai_buffer_clear(&copy);
    return false;
  }
  copy.limit = text->limit;
  cai_buffer_clear(text);
  *text = copy;
  return cai_buffer_join(text) != NULL;
}
