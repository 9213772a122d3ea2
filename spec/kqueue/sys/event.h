/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPEC_KQUEUE_H
#define SPEC_KQUEUE_H

#include <stdint.h>
#include <time.h>

/* As much of kqueue as src/core/poller_kqueue.c uses, made of epoll, so that it can be run where there is no kqueue.
 * Written from the manual page (https://man.freebsd.org/cgi/man.cgi?query=kqueue); a stand-in, for tests alone. */

enum { EVFILT_READ = -1, EVFILT_WRITE = -2, EVFILT_TIMER = -7 };
enum { EV_ADD = 0x0001, EV_DELETE = 0x0002, EV_ONESHOT = 0x0010, EV_EOF = 0x8000 };
#define NOTE_USECONDS 0x00000004

struct kevent {
  uintptr_t ident;
  short filter;
  unsigned short flags;
  unsigned fflags;
  int64_t data;
  void *udata;
};

#define EV_SET(event, i, f, fl, ff, d, u)                                                                              \
  (*(event) = (struct kevent){.ident = (i),                                                                            \
                              .filter = (short)(f),                                                                    \
                              .flags = (unsigned short)(fl),                                                           \
                              .fflags = (ff),                                                                          \
                              .data = (d),                                                                             \
                              .udata = (void *)(uintptr_t)(u)})

int kqueue(void);
int kevent(int queue, const struct kevent *changes, int change_count, struct kevent *events, int event_count,
           const struct timespec *timeout);

/* What is closed here takes its timer along. */
int kqueue_close(int descriptor);
#if !defined(SPEC_KQUEUE_ITSELF)
#define close kqueue_close
#endif

#endif
