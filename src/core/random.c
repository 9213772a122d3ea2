/* SPDX-License-Identifier: Apache-2.0 */
#include "random.h"

#include "clock.h"

#include <string.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

/* The most that getentropy gives at once: https://man7.org/linux/man-pages/man3/getentropy.3.html */
#define MOST_AT_ONCE ((size_t)256)

bool cai_random_fill(void *bytes, size_t count) {
  for (size_t at = 0, part; at < count; at += part) {
    part = count - at < MOST_AT_ONCE ? count - at : MOST_AT_ONCE;
    if (getentropy((char *)bytes + at, part) != 0) {
      memset(bytes, 0, count);
      return false;
    }
  }
  return true;
}

uint64_t cai_random_seed(void) {
  uint64_t seed;
  if (!cai_random_fill(&seed, sizeof seed))
    seed = (uint64_t)(cai_clock_now() * 1e9) ^ (uint64_t)getpid() << 32;
  return seed == 0 ? 1 : seed; /* xorshift stays at 0 */
}

/* xorshift64 (Marsaglia 2003) */
double cai_random_jitter(uint64_t *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 7;
  *seed ^= *seed << 17;
  return (double)(*seed >> 11) / 9007199254740992.0;
}
