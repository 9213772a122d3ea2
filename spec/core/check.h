/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPEC_CHECK_H
#define SPEC_CHECK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* All that a test needs: counted assertions that say where they failed and go on. Each program is one translation
 * unit that includes this, and ends with `return check_end();`. */

/* An enumeration can fail a hundred thousand times over: what is printed is bounded, what is counted is not. */
#define CHECK_MOST_PRINTED 20

static long check_count, check_failures;

__attribute__((format(printf, 5, 6))) static inline bool check_that(bool good, const char *file, int line,
                                                                    const char *text, const char *format, ...) {
  check_count++;
  if (good)
    return true;
  if (check_failures++ < CHECK_MOST_PRINTED) {
    va_list values;
    va_start(values, format);
    fprintf(stderr, "%s:%d: not so: %s ", file, line, text);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
  }
  return false;
}

static inline bool check_text(const char *got, const char *wanted, const char *file, int line) {
  bool same = got == NULL || wanted == NULL ? got == wanted : strcmp(got, wanted) == 0;
  return check_that(same, file, line, "the same text:", "got \"%s\", wanted \"%s\"", got == NULL ? "(null)" : got,
                    wanted == NULL ? "(null)" : wanted);
}

static inline int check_end(void) {
  printf("%ld checks, %ld failed\n", check_count, check_failures);
  return check_count > 0 && check_failures == 0 ? 0 : 1;
}

#define CHECK(condition) check_that((condition), __FILE__, __LINE__, #condition, "%s", "")
#define CHECK_TEXT(got, wanted) check_text((got), (wanted), __FILE__, __LINE__)
/* With words that name the case, for tables and enumerations. */
#define CHECK_CASE(condition, ...) check_that((condition), __FILE__, __LINE__, #condition, "- " __VA_ARGS__)

#endif
