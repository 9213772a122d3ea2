/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/random.h"
#include "check.h"

#include <errno.h>
#include <unistd.h>

/* The system's source, which --wrap lets dry up: getentropy, or the file that it is read from. */

int __real_getentropy(void *bytes, size_t count);
int __wrap_getentropy(void *bytes, size_t count);
ssize_t __real_read(int descriptor, void *bytes, size_t count);
ssize_t __wrap_read(int descriptor, void *bytes, size_t count);

static int left = -1; /* times that it still gives something; negative: always */
static size_t asked;  /* the most bytes at once */

int __wrap_getentropy(void *bytes, size_t count) {
  asked = count > asked ? count : asked;
  if (left == 0) {
    errno = ENOSYS;
    return -1;
  }
  left -= left > 0;
  return __real_getentropy(bytes, count);
}

ssize_t __wrap_read(int descriptor, void *bytes, size_t count) {
  count = count < 256 ? count : 256;
  asked = count > asked ? count : asked;
  if (left == 0) {
    errno = EIO;
    return -1;
  }
  left -= left > 0;
  return __real_read(descriptor, bytes, count);
}

static bool is_all(const char *bytes, size_t count, char byte) {
  for (size_t i = 0; i < count; i++) {
    if (bytes[i] != byte)
      return false;
  }
  return true;
}

/* Each 16 bytes of the filled part differ from what was there, and the byte behind is untouched. */
static void any_number_of_bytes_is_filled(void) {
  static const size_t counts[] = {0, 1, 16, 255, 256, 257, 1000};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    char bytes[1001];
    memset(bytes, 'x', sizeof bytes);
    CHECK(cai_random_fill(bytes, counts[i]));
    for (size_t at = 0; at + 16 <= counts[i]; at += 16)
      CHECK_CASE(!is_all(bytes + at, 16, 'x'), "%zu at %zu", counts[i], at);
    CHECK_CASE(is_all(bytes + counts[i], sizeof bytes - counts[i], 'x'), "%zu", counts[i]);
  }
  CHECK_CASE(asked == 256, "%zu at once", asked); /* it refuses more */
}

static void two_are_never_the_same(void) {
  char one[16], two[16];
  CHECK(cai_random_fill(one, sizeof one) && cai_random_fill(two, sizeof two));
  CHECK(memcmp(one, two, sizeof one) != 0);
}

static void a_source_that_dries_up_gives_nothing(void) {
  for (int times = 0; times < 3; times++) {
    char bytes[700];
    memset(bytes, 'x', sizeof bytes);
    left = times;
    CHECK(!cai_random_fill(bytes, sizeof bytes));
    CHECK_CASE(is_all(bytes, sizeof bytes, 0), "after %d times", times);
  }
  left = -1;
}

static void jitter_is_spread_over_its_range(void) {
  for (left = -1; left < 1; left++) { /* with the system's seeds, and without */
    uint64_t seed = cai_random_seed();
    int tenths[10] = {0};
    CHECK(seed != 0);
    for (int i = 0; i < 10000; i++) {
      double jitter = cai_random_jitter(&seed);
      if (CHECK(jitter >= 0 && jitter < 1))
        tenths[(int)(jitter * 10)]++;
    }
    for (int i = 0; i < 10; i++)
      CHECK_CASE(tenths[i] > 800 && tenths[i] < 1200, "%d in tenth %d", tenths[i], i);
  }
  left = -1;
  CHECK(cai_random_seed() != cai_random_seed());
}

int main(void) {
  any_number_of_bytes_is_filled();
  two_are_never_the_same();
  a_source_that_dries_up_gives_nothing();
  jitter_is_spread_over_its_range();
  return check_end();
}
