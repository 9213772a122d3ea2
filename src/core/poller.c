/* SPDX-License-Identifier: Apache-2.0 */
#include "poller.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <unistd.h>

bool cai_poller_open(cai_poller *poller) {
  poller->epoll = epoll_create1(EPOLL_CLOEXEC);
  return poller->epoll >= 0;
}

void cai_poller_close(cai_poller *poller) {
  if (poller->epoll >= 0)
    close(poller->epoll);
  poller->epoll = -1;
}

void cai_poller_watch(cai_poller *poller, int descriptor, unsigned tag, bool known, bool readable, bool writable) {
  struct epoll_event event = {.data.u64 = (uint64_t)tag << 32 | (uint32_t)descriptor};
  if (readable)
    event.events |= EPOLLIN;
  if (writable)
    event.events |= EPOLLOUT;
  /* A descriptor that libcurl closed first is gone from the set by itself: those errors mean nothing. */
  if (event.events == 0)
    epoll_ctl(poller->epoll, EPOLL_CTL_DEL, descriptor, NULL);
  else if (!known || epoll_ctl(poller->epoll, EPOLL_CTL_MOD, descriptor, &event) != 0)
    epoll_ctl(poller->epoll, EPOLL_CTL_ADD, descriptor, &event);
}

int cai_poller_wait(cai_poller *poller, int timeout, cai_poller_event events[CAI_POLLER_EVENTS]) {
  struct epoll_event ready[CAI_POLLER_EVENTS];
  int count = epoll_wait(poller->epoll, ready, CAI_POLLER_EVENTS, timeout);
  for (int i = 0; i < count; i++) {
    uint32_t bits = ready[i].events;
    events[i] = (cai_poller_event){.descriptor = (int)(uint32_t)ready[i].data.u64,
                                   .tag = (unsigned)(ready[i].data.u64 >> 32),
                                   .readable = (bits & EPOLLIN) != 0,
                                   .writable = (bits & EPOLLOUT) != 0,
                                   .failed = (bits & (EPOLLERR | EPOLLHUP)) != 0};
  }
  return count < 0 ? 0 : count;
}
