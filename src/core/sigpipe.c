/* SPDX-License-Identifier: Apache-2.0 */
#include "sigpipe.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

static void only_sigpipe(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGPIPE);
}

static bool is_pending(void) {
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

void cai_sigpipe_hold(cai_sigpipe *held) {
  sigset_t set;
  only_sigpipe(&set);
  held->pending = is_pending();
  pthread_sigmask(SIG_BLOCK, &set, &held->before);
}

void cai_sigpipe_release(const cai_sigpipe *held) {
  if (!held->pending && is_pending()) { /* raised meanwhile, so by us: take it away before it can be delivered */
    sigset_t set;
    only_sigpipe(&set);
#if defined(CAI_HAS_SIGTIMEDWAIT)
    struct timespec at_once = {0, 0};
    sigtimedwait(&set, NULL, &at_once);
#else
    /* No other thread can have taken it, as it is sent to the one that writes. Where it is sent to the process (macOS),
     * our descriptors raise none: SO_NOSIGPIPE, F_SETNOSIGPIPE. */
    int number;
    sigwait(&set, &number);
#endif
  }
  pthread_sigmask(SIG_SETMASK, &held->before, NULL);
}
