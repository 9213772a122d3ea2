/* SPDX-License-Identifier: Apache-2.0 */
#include "fork.h"

#include <pthread.h>

/* The library's only mutable statics. */
static unsigned forks;
static pthread_once_t watching = PTHREAD_ONCE_INIT;

static void count_fork(void) {
  forks++;
}

static void watch(void) {
  pthread_atfork(NULL, NULL, count_fork);
}

void cai_fork_watch(void) {
  pthread_once(&watching, watch);
}

unsigned cai_fork_count(void) {
  return forks;
}
