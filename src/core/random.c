/* SPDX-License-Identifier: Apache-2.0 */
#include "random.h"

#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

bool cai_random_fill(void *bytes, size_t length) {
  return getentropy(bytes, length) == 0;
}
