/* SPDX-License-Identifier: Apache-2.0 */
#define SPEC_KQUEUE_ITSELF
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* What is registered of one descriptor. */
typedef struct {
  bool known[2]; /* to read, to write */
  void *udata[2];
} registration;

/* No memory is asked for: tests count what the engine asks for. */
#define QUEUES 32
#define DESCRIPTORS 1024

typedef struct {
  int descriptor, timer; /* descriptor 0: there is none */
  registration of[DESCRIPTORS];
} queue;

static queue queues[QUEUES]; /* the tests use them from one thread */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void release(queue *q) {
  close(q->timer);
  close(q->descriptor);
  memset(q, 0, sizeof *q);
}

/* "The queue is not inherited by a child created with fork(2)." */
static void forget_inherited(void) {
  for (int i = 0; i < QUEUES; i++)
    if (queues[i].descriptor != 0)
      release(&queues[i]);
}

static void watch_forks(void) {
  pthread_atfork(NULL, NULL, forget_inherited);
}

static queue *find(int descriptor) {
  for (int i = 0; i < QUEUES; i++)
    if (queues[i].descriptor == descriptor)
      return &queues[i];
  return NULL;
}

int kqueue(void) {
  pthread_once(&once, watch_forks);
  queue *q = find(0);
  if (q == NULL) {
    errno = EMFILE;
    return -1;
  }
  q->descriptor = epoll_create1(0);
  q->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = q->timer};
  if (q->descriptor < 0 || q->timer < 0 || epoll_ctl(q->descriptor, EPOLL_CTL_ADD, q->timer, &event) != 0) {
    int problem = errno;
    release(q);
    errno = problem;
    return -1;
  }
  return q->descriptor;
}

int kqueue_close(int descriptor) {
  queue *q = descriptor > 0 ? find(descriptor) : NULL;
  if (q == NULL)
    return close(descriptor);
  release(q);
  return 0;
}

static int set_timer(const queue *q, const struct kevent *change) {
  struct itimerspec at = {.it_value = {0, 0}};
  if ((change->flags & EV_DELETE) == 0) {
    if (change->data <= 0 || change->fflags != NOTE_USECONDS || (change->flags & EV_ONESHOT) == 0) {
      errno = EINVAL; /* none that the poller sets */
      return -1;
    }
    at.it_value.tv_sec = change->data / 1000000;
    at.it_value.tv_nsec = change->data % 1000000 * 1000;
  }
  return timerfd_settime(q->timer, 0, &at, NULL);
}

static int set_filter(queue *q, const struct kevent *change) {
  int descriptor = (int)change->ident, which = change->filter == EVFILT_WRITE;
  if (descriptor < 0 || descriptor >= DESCRIPTORS) {
    errno = EBADF;
    return -1;
  }
  registration *of = &q->of[descriptor];
  struct epoll_event event = {.data.fd = descriptor};
  of->known[which] = (change->flags & EV_ADD) != 0;
  of->udata[which] = change->udata;
  if (of->known[0] || of->known[1]) {
    event.events = (of->known[0] ? EPOLLIN : 0u) | (of->known[1] ? EPOLLOUT : 0u);
    if (epoll_ctl(q->descriptor, EPOLL_CTL_MOD, descriptor, &event) == 0)
      return 0;
    *of = (registration){.known = {false, false}}; /* a new descriptor of that number: the old one took all along */
    if ((change->flags & EV_ADD) == 0)
      return -1;
    of->known[which] = true;
    of->udata[which] = change->udata;
    event.events = which ? EPOLLOUT : EPOLLIN;
    return epoll_ctl(q->descriptor, EPOLL_CTL_ADD, descriptor, &event);
  }
  return epoll_ctl(q->descriptor, EPOLL_CTL_DEL, descriptor, NULL);
}

static int error_of(int descriptor) {
  int problem = 0;
  socklen_t size = sizeof problem;
  return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 ? problem : 0;
}

/* One event for each direction, and for the timer. */
static int translate(const queue *q, const struct epoll_event *ready, struct kevent *events) {
  int descriptor = ready->data.fd, count = 0;
  bool over = (ready->events & (EPOLLERR | EPOLLHUP)) != 0;
  if (descriptor == q->timer) {
    uint64_t times;
    if (read(q->timer, &times, sizeof times) != (ssize_t)sizeof times)
      return 0;
    events[0] = (struct kevent){.filter = EVFILT_TIMER, .data = (int64_t)times};
    return 1;
  }
  const registration *of = &q->of[descriptor];
  unsigned problem = over ? (unsigned)error_of(descriptor) : 0;
  for (int which = 0; which < 2; which++)
    if (of->known[which] && (over || (ready->events & (which ? EPOLLOUT : EPOLLIN)) != 0))
      events[count++] = (struct kevent){.ident = (uintptr_t)descriptor,
                                        .filter = which ? EVFILT_WRITE : EVFILT_READ,
                                        .flags = over ? EV_EOF : 0,
                                        .fflags = problem,
                                        .udata = of->udata[which]};
  return count;
}

int kevent(int descriptor, const struct kevent *changes, int change_count, struct kevent *events, int event_count,
           const struct timespec *timeout) {
  struct epoll_event ready[64];
  queue *q = find(descriptor);
  if (q == NULL) {
    errno = EBADF;
    return -1;
  }
  for (int i = 0; i < change_count; i++)
    if ((changes[i].filter == EVFILT_TIMER ? set_timer(q, &changes[i]) : set_filter(q, &changes[i])) != 0)
      return -1;
  if (event_count < 2)
    return 0;
  int milliseconds = timeout == NULL ? -1 : (int)(timeout->tv_sec * 1000 + timeout->tv_nsec / 1000000);
  int most = event_count / 2 < 64 ? event_count / 2 : 64; /* as each may be two */
  int seen = epoll_wait(descriptor, ready, most, milliseconds), count = 0;
  for (int i = 0; i < seen; i++)
    count += translate(q, &ready[i], events + count);
  return seen < 0 ? -1 : count;
}
