/* SPDX-License-Identifier: Apache-2.0 */
#if defined(CAI_HAS_EPOLL)
#include "poller.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* What stands for the timer among the events: no tag and descriptor. */
#define TIMER UINT64_MAX

/* Seconds; whoever waits longer is woken for nothing meanwhile. */
#define LONGEST_ALARM 86400.0

bool cai_poller_open(cai_poller *poller) {
  poller->timer = -1;
  poller->queue = epoll_create1(EPOLL_CLOEXEC);
  return poller->queue >= 0;
}

void cai_poller_close(cai_poller *poller) {
  if (poller->queue >= 0)
    close(poller->queue);
  if (poller->timer >= 0)
    close(poller->timer);
  poller->queue = poller->timer = -1;
}

int cai_poller_descriptor(cai_poller *poller) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = TIMER};
  if (poller->timer < 0)
    poller->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (poller->timer < 0 || (epoll_ctl(poller->queue, EPOLL_CTL_ADD, poller->timer, &event) != 0 && errno != EEXIST))
    return -1;
  return poller->queue;
}

void cai_poller_alarm(cai_poller *poller, double seconds) {
  struct itimerspec at = {.it_value = {0, 0}}; /* all zero disarms */
  if (poller->timer < 0)
    return;
  if (isfinite(seconds)) {
    double left = fmin(fmax(seconds, 0), LONGEST_ALARM);
    at.it_value.tv_sec = (time_t)left;
    at.it_value.tv_nsec = (long)((left - (double)at.it_value.tv_sec) * 1e9);
    if (at.it_value.tv_sec == 0 && at.it_value.tv_nsec == 0)
      at.it_value.tv_nsec = 1; /* now, but not never: so short a wait, too */
  }
  timerfd_settime(poller->timer, 0, &at, NULL);
}

void cai_poller_watch(cai_poller *poller, int descriptor, unsigned tag, bool known, bool readable, bool writable) {
  struct epoll_event event = {.data.u64 = (uint64_t)tag << 32 | (uint32_t)descriptor};
  if (readable)
    event.events |= EPOLLIN;
  if (writable)
    event.events |= EPOLLOUT;
  /* A descriptor that libcurl closed first is gone from the set by itself: those errors mean nothing. */
  if (event.events == 0)
    epoll_ctl(poller->queue, EPOLL_CTL_DEL, descriptor, NULL);
  else if (!known || epoll_ctl(poller->queue, EPOLL_CTL_MOD, descriptor, &event) != 0)
    epoll_ctl(poller->queue, EPOLL_CTL_ADD, descriptor, &event);
}

/* Takes the alarm back, so that the descriptor is no longer readable for it. */
static void acknowledge(const cai_poller *poller) {
  uint64_t expirations;
  ssize_t taken = read(poller->timer, &expirations, sizeof expirations);
  (void)taken; /* nothing there: somebody was faster */
}

int cai_poller_wait(cai_poller *poller, int timeout, cai_poller_event events[CAI_POLLER_EVENTS]) {
  struct epoll_event ready[CAI_POLLER_EVENTS];
  int seen = epoll_wait(poller->queue, ready, CAI_POLLER_EVENTS, timeout), count = 0;
  for (int i = 0; i < seen; i++) {
    if (ready[i].data.u64 == TIMER) {
      acknowledge(poller);
      continue;
    }
    uint32_t bits = ready[i].events;
    events[count++] = (cai_poller_event){.descriptor = (int)(uint32_t)ready[i].data.u64,
                                         .tag = (unsigned)(ready[i].data.u64 >> 32),
                                         .readable = (bits & EPOLLIN) != 0,
                                         .writable = (bits & EPOLLOUT) != 0,
                                         .failed = (bits & (EPOLLERR | EPOLLHUP)) != 0};
  }
  return count;
}
#endif
