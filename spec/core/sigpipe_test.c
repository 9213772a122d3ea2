/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/sigpipe.h"
#include "check.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t delivered;

static void on_sigpipe(int number) {
  (void)number;
  delivered++;
}

static bool is_pending(void) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

static bool is_blocked(void) {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, NULL, &mask);
  return sigismember(&mask, SIGPIPE) == 1;
}

static void set_blocked(bool blocked) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

/* What raises it for real: a write to a pipe that nobody reads. */
static void break_a_pipe(void) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  close(ends[0]);
  errno = 0;
  CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE);
  close(ends[1]);
}

static void one_of_ours_vanishes(void) {
  cai_sigpipe held;
  cai_sigpipe_hold(&held);
  CHECK(is_blocked());
  break_a_pipe();
  CHECK(is_pending());
  cai_sigpipe_release(&held);
  CHECK(delivered == 0 && !is_pending() && !is_blocked());
}

static void the_hosts_own_still_comes(void) {
  break_a_pipe();
  CHECK(delivered == 1);
  delivered = 0;
}

static void one_that_the_host_held_back_stays(void) {
  cai_sigpipe held;
  set_blocked(true);
  break_a_pipe();
  cai_sigpipe_hold(&held);
  break_a_pipe();
  cai_sigpipe_release(&held);
  CHECK(is_pending() && is_blocked() && delivered == 0);
  set_blocked(false);
  CHECK(delivered == 1);
  delivered = 0;
}

static void a_mask_of_the_hosts_stays_without_ours(void) {
  cai_sigpipe held;
  set_blocked(true);
  cai_sigpipe_hold(&held);
  break_a_pipe();
  cai_sigpipe_release(&held);
  CHECK(is_blocked() && !is_pending());
  set_blocked(false);
  CHECK(delivered == 0);
}

static void holds_nest(void) {
  cai_sigpipe outer, inner;
  cai_sigpipe_hold(&outer);
  cai_sigpipe_hold(&inner);
  break_a_pipe();
  cai_sigpipe_release(&inner);
  CHECK(is_blocked());
  break_a_pipe();
  cai_sigpipe_release(&outer);
  CHECK(!is_blocked() && !is_pending() && delivered == 0);
}

static void an_ignored_one_is_no_trouble(void) {
  cai_sigpipe held;
  signal(SIGPIPE, SIG_IGN);
  cai_sigpipe_hold(&held);
  break_a_pipe();
  cai_sigpipe_release(&held);
  CHECK(!is_pending() && !is_blocked());
}

int main(void) {
  struct sigaction action = {.sa_handler = on_sigpipe};
  sigaction(SIGPIPE, &action, NULL);
  the_hosts_own_still_comes();
  one_of_ours_vanishes();
  one_that_the_host_held_back_stays();
  a_mask_of_the_hosts_stays_without_ours();
  holds_nest();
  the_hosts_own_still_comes();
  an_ignored_one_is_no_trouble();
  return check_end();
}
