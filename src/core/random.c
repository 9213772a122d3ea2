/* SPDX-License-Identifier: Apache-2.0 */
#include "random.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#if defined(CAI_HAS_GETENTROPY_OF_SYS)
#include <sys/random.h> /* macOS */
#endif

#if defined(CAI_HAS_GETENTROPY) || defined(CAI_HAS_GETENTROPY_OF_SYS)
/* The most that it gives at once: https://man7.org/linux/man-pages/man3/getentropy.3.html */
#define MOST_AT_ONCE ((size_t)256)

static bool fill(char *bytes, size_t count) {
  for (size_t at = 0, part; at < count; at += part) {
    part = count - at < MOST_AT_ONCE ? count - at : MOST_AT_ONCE;
    if (getentropy(bytes + at, part) != 0)
      return false;
  }
  return true;
}
#else
static bool fill(char *bytes, size_t count) {
  int source = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  ssize_t got = source < 0 ? -1 : 1;
  for (size_t at = 0; got > 0 && at < count;) {
    got = read(source, bytes + at, count - at);
    if (got > 0)
      at += (size_t)got;
    else if (got < 0 && errno == EINTR)
      got = 1;
  }
  if (source >= 0)
    close(source);
  return got > 0;
}
#endif

bool cai_random_fill(void *bytes, size_t count) {
  if (fill(bytes, count))
    return true;
  memset(bytes, 0, count);
  return false;
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
