/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/poller.h"
#include "check.h"
#include "scene.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#if defined(CAI_HAS_EPOLL)
#include <sys/timerfd.h>
#endif

typedef struct {
  cai_poller poller;
  int ends[2];
  cai_poller_event events[CAI_POLLER_EVENTS];
} pair;

static void open_pair(pair *p) {
  CHECK(cai_poller_open(&p->poller));
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, p->ends) == 0);
}

static void close_pair(pair *p) {
  close(p->ends[0]);
  close(p->ends[1]);
  cai_poller_close(&p->poller);
  cai_poller_close(&p->poller);
}

static void it_says_what_is_ready(void) {
  pair p;
  open_pair(&p);
  CHECK((fcntl(p.poller.queue, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(cai_poller_wait(&p.poller, 0, p.events) == 0);
  cai_poller_watch(&p.poller, p.ends[0], 7, false, true, false);
  CHECK(cai_poller_wait(&p.poller, 0, p.events) == 0);
  CHECK(write(p.ends[1], "x", 1) == 1);
  CHECK(cai_poller_wait(&p.poller, 0, p.events) == 1);
  CHECK(p.events[0].descriptor == p.ends[0] && p.events[0].readable && !p.events[0].writable && !p.events[0].failed);
  cai_poller_watch(&p.poller, p.ends[0], 7, true, false, true);
  CHECK(cai_poller_wait(&p.poller, 0, p.events) == 1 && p.events[0].writable && !p.events[0].readable);
  cai_poller_watch(&p.poller, p.ends[0], 7, true, true, true);
  CHECK(cai_poller_wait(&p.poller, 0, p.events) == 1 && p.events[0].writable && p.events[0].readable);
  cai_poller_watch(&p.poller, p.ends[0], 7, true, false, false);
  CHECK(cai_poller_wait(&p.poller, 0, p.events) == 0);
  close_pair(&p);
}

static void a_closed_peer_is_seen(void) {
  pair p;
  open_pair(&p);
  cai_poller_watch(&p.poller, p.ends[0], 7, false, true, false);
  close(p.ends[1]);
  CHECK(cai_poller_wait(&p.poller, 0, p.events) == 1 && p.events[0].readable);
  close_pair(&p);
}

/* libcurl says "known" of a descriptor that the system has dropped since, as it was closed and its number reused. */
static void a_reused_number_is_watched_again(void) {
  pair p;
  open_pair(&p);
  cai_poller_watch(&p.poller, p.ends[0], 7, false, true, false);
  int number = p.ends[0], other[2];
  close(number);
  cai_poller_watch(&p.poller, number, 7, true, false, false); /* gone: means nothing */
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, other) == 0);
  if (other[0] != number) {
    CHECK(dup2(other[0], number) == number);
    close(other[0]);
  }
  cai_poller_watch(&p.poller, number, 7, true, true, false);
  CHECK(write(other[1], "x", 1) == 1);
  CHECK(cai_poller_wait(&p.poller, 0, p.events) == 1 && p.events[0].descriptor == number);
  close(other[1]);
  close_pair(&p);
}

static void it_waits_as_long_as_told(void) {
  pair p;
  open_pair(&p);
  cai_poller_watch(&p.poller, p.ends[0], 7, false, true, false);
  double start = scene_now();
  CHECK(cai_poller_wait(&p.poller, 0, p.events) == 0);
  CHECK(scene_now() - start < 0.05);
  start = scene_now();
  CHECK(cai_poller_wait(&p.poller, 60, p.events) == 0);
  CHECK(scene_now() - start >= 0.055);
  close_pair(&p);
}

/* Whether a host that polls this one descriptor would be woken within so many milliseconds. */
static bool wakes(int descriptor, int milliseconds) {
  struct pollfd polled = {.fd = descriptor, .events = POLLIN};
  return poll(&polled, 1, milliseconds) == 1;
}

static void one_descriptor_stands_for_all(void) {
  pair p;
  open_pair(&p);
  cai_poller_alarm(&p.poller, 0); /* nobody has asked: nothing to set */
  int descriptor = cai_poller_descriptor(&p.poller);
  CHECK(descriptor >= 0 && cai_poller_descriptor(&p.poller) == descriptor);
  cai_poller_watch(&p.poller, p.ends[0], 7, false, true, false);
  CHECK(!wakes(descriptor, 0));
  CHECK(write(p.ends[1], "x", 1) == 1);
  CHECK(wakes(descriptor, 0));
  CHECK(cai_poller_wait(&p.poller, 0, p.events) == 1 && p.events[0].tag == 7);
  close_pair(&p);
}

static void the_alarm_wakes_and_is_no_event(void) {
  pair p;
  open_pair(&p);
  int descriptor = cai_poller_descriptor(&p.poller);
  cai_poller_alarm(&p.poller, 0.05);
  CHECK(!wakes(descriptor, 20) && wakes(descriptor, 200));
  CHECK(cai_poller_wait(&p.poller, 0, p.events) == 0);
  CHECK(!wakes(descriptor, 0));
  cai_poller_alarm(&p.poller, -1); /* long due */
  CHECK(wakes(descriptor, 20));
  cai_poller_alarm(&p.poller, 1e-10); /* less than the system counts in */
  CHECK(wakes(descriptor, 20));
  cai_poller_alarm(&p.poller, INFINITY);
  CHECK(!wakes(descriptor, 20));
  cai_poller_alarm(&p.poller, 1e300);
  CHECK(!wakes(descriptor, 20));
#if defined(CAI_HAS_EPOLL)
  struct itimerspec at; /* sooner, but set: without end it would be one that never comes */
  CHECK(timerfd_gettime(p.poller.timer, &at) == 0 && at.it_value.tv_sec > 0);
#endif
  close_pair(&p);
}

static void on_alarm(int number) {
  (void)number;
}

static void a_signal_ends_the_wait(void) {
  pair p;
  open_pair(&p);
  struct sigaction action = {.sa_handler = on_alarm}, before;
  sigaction(SIGALRM, &action, &before);
  struct itimerval soon = {.it_value.tv_usec = 30000, .it_interval.tv_usec = 30000}, never = {.it_value.tv_usec = 0};
  setitimer(ITIMER_REAL, &soon, NULL);
  CHECK(cai_poller_wait(&p.poller, -1, p.events) == 0);
  setitimer(ITIMER_REAL, &never, NULL);
  sigaction(SIGALRM, &before, NULL);
  close_pair(&p);
}

static void more_than_fit_come_in_turns(void) {
  enum { PAIRS = CAI_POLLER_EVENTS + 10 };
  cai_poller poller;
  cai_poller_event events[CAI_POLLER_EVENTS];
  static int ends[PAIRS][2];
  CHECK(cai_poller_open(&poller));
  for (int i = 0; i < PAIRS; i++) {
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]) == 0);
    cai_poller_watch(&poller, ends[i][0], 7, false, false, true);
  }
  int seen = 0;
  for (int count; (count = cai_poller_wait(&poller, 0, events)) > 0; seen += count) {
    CHECK(count <= CAI_POLLER_EVENTS);
    for (int i = 0; i < count; i++)
      cai_poller_watch(&poller, events[i].descriptor, 7, true, false, false);
  }
  CHECK(seen == PAIRS);
  for (int i = 0; i < PAIRS; i++) {
    close(ends[i][0]);
    close(ends[i][1]);
  }
  cai_poller_close(&poller);
}

int main(void) {
  it_says_what_is_ready();
  a_closed_peer_is_seen();
  a_reused_number_is_watched_again();
  it_waits_as_long_as_told();
  a_signal_ends_the_wait();
  one_descriptor_stands_for_all();
  the_alarm_wakes_and_is_no_event();
  more_than_fit_come_in_turns();
  return check_end();
}
