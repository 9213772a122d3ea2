/* SPDX-License-Identifier: Apache-2.0 */
#if defined(CAI_HAS_KQUEUE) && !defined(CAI_HAS_EPOLL)
#include "poller.h"

#include <fcntl.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

/* macOS and the BSDs: https://man.freebsd.org/cgi/man.cgi?query=kqueue; where they differ, what all have is used. */

/* What the alarm counts in: milliseconds where the system knows nothing finer. */
#if defined(NOTE_USECONDS)
#define UNIT NOTE_USECONDS
#define UNITS_PER_SECOND 1e6
#else
#define UNIT 0
#define UNITS_PER_SECOND 1e3
#endif

/* Seconds, which fit 32 bits as microseconds; whoever waits longer is woken for nothing meanwhile. */
#define LONGEST_ALARM 2000.0

bool cai_poller_open(cai_poller *poller) {
  poller->timer = -1;
  poller->queue = kqueue();
  if (poller->queue >= 0)
    fcntl(poller->queue, F_SETFD, FD_CLOEXEC);
  return poller->queue >= 0;
}

void cai_poller_close(cai_poller *poller) {
  if (poller->queue >= 0)
    close(poller->queue);
  poller->queue = poller->timer = -1;
}

/* Makes one change. Errors mean nothing: one taken away is gone by itself once its descriptor was closed, and one added
 * is of a descriptor that libcurl has open. */
static void change(const cai_poller *poller, int ident, int filter, int flags, unsigned tag, unsigned unit,
                   double data) {
  struct kevent event;
  EV_SET(&event, (uintptr_t)ident, filter, flags, unit, (intptr_t)data, 0);
  event.udata = (__typeof__(event.udata))(uintptr_t)tag; /* NOLINT: a pointer, but on older NetBSDs a number */
  kevent(poller->queue, &event, 1, NULL, 0, NULL);
}

int cai_poller_descriptor(cai_poller *poller) {
  poller->timer = 0;
  return poller->queue;
}

void cai_poller_alarm(cai_poller *poller, double seconds) {
  if (poller->timer < 0)
    return;
  /* First, as setting one anew that has gone off may not take that back. */
  change(poller, 0, EVFILT_TIMER, EV_DELETE, 0, 0, 0);
  if (isfinite(seconds)) /* at least one unit: none is refused on some systems */
    change(poller, 0, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, UNIT,
           ceil(fmin(fmax(seconds, 1 / UNITS_PER_SECOND), LONGEST_ALARM) * UNITS_PER_SECOND));
}

void cai_poller_watch(cai_poller *poller, int descriptor, unsigned tag, bool known, bool readable, bool writable) {
  (void)known; /* adding one that is there does no harm */
  change(poller, descriptor, EVFILT_READ, readable ? EV_ADD : EV_DELETE, tag, 0, 0);
  change(poller, descriptor, EVFILT_WRITE, writable ? EV_ADD : EV_DELETE, tag, 0, 0);
}

/* The event of a descriptor, which has one of the system for each direction. */
static cai_poller_event *event_of(cai_poller_event events[CAI_POLLER_EVENTS], int *count, const struct kevent *ready) {
  int descriptor = (int)ready->ident;
  for (int i = 0; i < *count; i++)
    if (events[i].descriptor == descriptor)
      return &events[i];
  events[*count] = (cai_poller_event){.descriptor = descriptor, .tag = (unsigned)(uintptr_t)ready->udata};
  return &events[(*count)++];
}

int cai_poller_wait(cai_poller *poller, int timeout, cai_poller_event events[CAI_POLLER_EVENTS]) {
  struct kevent ready[CAI_POLLER_EVENTS];
  struct timespec most = {.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000L};
  int seen = kevent(poller->queue, NULL, 0, ready, CAI_POLLER_EVENTS, timeout < 0 ? NULL : &most), count = 0;
  for (int i = 0; i < seen; i++) {
    if (ready[i].filter == EVFILT_TIMER) /* it went once, and is gone */
      continue;
    cai_poller_event *event = event_of(events, &count, &ready[i]);
    event->readable |= ready[i].filter == EVFILT_READ;
    event->writable |= ready[i].filter == EVFILT_WRITE;
    event->failed |= (ready[i].flags & EV_EOF) != 0 && ready[i].fflags != 0; /* the socket's error */
  }
  return count;
}
#endif
