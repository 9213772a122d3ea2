/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_POLLER_H
#define CAI_POLLER_H

#include <stdbool.h>

/* Waiting for sockets by what the system has that makes one descriptor of them all, for a host's own loop: epoll and a
 * timerfd (poller_epoll.c), or a kqueue (poller_kqueue.c), which a forked child does not inherit. */

#define CAI_POLLER_EVENTS 64

typedef struct {
  int descriptor;
  unsigned tag; /* as given to cai_poller_watch */
  bool readable, writable, failed;
} cai_poller_event;

typedef struct {
  int queue; /* descriptor of the epoll or kqueue; -1: closed */
  int timer; /* of the timerfd; a kqueue needs none, and has 0. -1: nobody has asked for the descriptor */
} cai_poller;

/* False: the system gave no descriptor (errno says why). */
bool cai_poller_open(cai_poller *poller);

/* Closes its own descriptors, nothing else. Idempotent. */
void cai_poller_close(cai_poller *poller);

/* The one descriptor that stands for all of them: readable when an event or the alarm is due. -1: the system gave none
 * for the alarm. */
int cai_poller_descriptor(cai_poller *poller);

/* Sets the alarm, for whoever waits on the descriptor, to so many seconds from now, or sooner when that is very long;
 * infinite: none. Does nothing before the descriptor was asked for. */
void cai_poller_alarm(cai_poller *poller, double seconds);

/* What to watch a descriptor for; `known` says whether it is watched already. Neither: stop watching it. */
void cai_poller_watch(cai_poller *poller, int descriptor, unsigned tag, bool known, bool readable, bool writable);

/* Waits up to `timeout` milliseconds (0: look only, -1: without end) and fills `events`. The number of events; 0 also
 * when a signal came. */
int cai_poller_wait(cai_poller *poller, int timeout, cai_poller_event events[CAI_POLLER_EVENTS]);

#endif
