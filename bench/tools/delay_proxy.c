/* SPDX-License-Identifier: Apache-2.0 */
/* A wire of a given length: passes TCP connections on, each byte so many milliseconds after it came.
 *   delay_proxy PORT TARGET_PORT MILLISECONDS     both on 127.0.0.1; the delay is of one way
 * The kernel accepts a connection at once; so that it costs the round trip that it would, what a client sends first
 * leaves one round trip after the connection was made. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CHUNK ((size_t)65536)
#define EVENTS 64
#define NEVER 1e300

typedef struct chunk {
  struct chunk *next;
  double due;          /* milliseconds, as of now() */
  size_t length, sent; /* length 0: the end of the stream */
  char bytes[];
} chunk;

typedef struct side {
  struct side *other;
  int descriptor;
  double not_before;   /* when its first bytes count as sent */
  bool ended;          /* it sends no more */
  chunk *first, *last; /* what it sent and the other has not got */
} side;

typedef struct pair {
  struct pair *next;
  side client, server;
} pair;

static double delay;
static pair *pairs;
static int poller, timer;

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void *allocate(size_t size) {
  void *memory = malloc(size);
  if (memory == NULL)
    fail("delay_proxy");
  return memory;
}

static void watch(int descriptor, void *what) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) != 0)
    fail("delay_proxy: epoll");
}

static void open_side(side *one, side *other, int descriptor, double not_before) {
  int yes = 1;
  *one = (side){.other = other, .descriptor = descriptor, .not_before = not_before};
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  watch(descriptor, one);
}

static void accept_all(int listener, const struct sockaddr_in *target) {
  for (int client; (client = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server < 0 || connect(server, (const struct sockaddr *)target, sizeof *target) != 0)
      fail("delay_proxy: the target");
    pair *made = allocate(sizeof *made);
    open_side(&made->client, &made->server, client, now() + 2 * delay);
    open_side(&made->server, &made->client, server, 0);
    made->next = pairs;
    pairs = made;
  }
}

/* Takes in what a side sent, or its end. */
static void take(side *from) {
  chunk *piece = allocate(sizeof *piece + CHUNK);
  double at = now();
  ssize_t got = recv(from->descriptor, piece->bytes, CHUNK, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    free(piece);
    return;
  }
  if (got <= 0) { /* a reset is passed on as an end */
    from->ended = true;
    epoll_ctl(poller, EPOLL_CTL_DEL, from->descriptor, NULL);
    got = 0;
  }
  chunk *fitted = realloc(piece, sizeof *piece + (size_t)got);
  piece = fitted == NULL ? piece : fitted;
  *piece = (chunk){.due = (at < from->not_before ? from->not_before : at) + delay, .length = (size_t)got};
  if (from->last != NULL)
    from->last->next = piece;
  else
    from->first = piece;
  from->last = piece;
}

/* Hands a piece to the other side. False: it takes no more now. */
static bool hand(const side *to, chunk *piece) {
  if (piece->length == 0)
    shutdown(to->descriptor, SHUT_WR);
  while (piece->sent < piece->length) {
    ssize_t sent =
        send(to->descriptor, piece->bytes + piece->sent, piece->length - piece->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN)
      return false;
    piece->sent = sent < 0 ? piece->length : piece->sent + (size_t)sent; /* it has gone: there is nobody to tell */
  }
  return true;
}

/* Hands on what is due. When there is more to do. */
static double deliver(side *from, double at) {
  for (chunk *piece; (piece = from->first) != NULL;) {
    if (piece->due > at)
      return piece->due;
    if (!hand(from->other, piece))
      return at + 1;
    from->first = piece->next;
    if (from->first == NULL)
      from->last = NULL;
    free(piece);
  }
  return NEVER;
}

static bool is_over(const side *one) {
  return one->ended && one->first == NULL;
}

/* Hands on what is due, closes what is over, and sets the timer for the rest. */
static void deliver_all(void) {
  double due = NEVER;
  for (pair **at = &pairs; *at != NULL;) {
    pair *p = *at;
    double client = deliver(&p->client, now()), server = deliver(&p->server, now());
    due = client < due ? client : due;
    due = server < due ? server : due;
    if (!is_over(&p->client) || !is_over(&p->server)) {
      at = &p->next;
      continue;
    }
    close(p->client.descriptor);
    close(p->server.descriptor);
    *at = p->next;
    free(p);
  }
  struct itimerspec alarm = {.it_value = {0, 0}};
  if (due < NEVER) {
    alarm.it_value.tv_sec = (time_t)(due / 1e3);
    alarm.it_value.tv_nsec = (long)((due - (double)alarm.it_value.tv_sec * 1e3) * 1e6);
  }
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &alarm, NULL);
}

static struct sockaddr_in loopback(const char *port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int listen_on(const struct sockaddr_in *address) {
  int yes = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (const struct sockaddr *)address, sizeof *address) != 0 || listen(listener, 256) != 0)
    fail("delay_proxy: the port");
  return listener;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: delay_proxy PORT TARGET_PORT MILLISECONDS\n");
    return 2;
  }
  struct sockaddr_in own = loopback(argv[1]), target = loopback(argv[2]);
  delay = atof(argv[3]);
  poller = epoll_create1(EPOLL_CLOEXEC);
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  int listener = listen_on(&own);
  watch(listener, &listener);
  watch(timer, &timer);
  for (;;) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      uint64_t expirations;
      if (events[i].data.ptr == &listener)
        accept_all(listener, &target);
      else if (events[i].data.ptr != &timer)
        take(events[i].data.ptr);
      else if (read(timer, &expirations, sizeof expirations) < 0)
        continue;
    }
    deliver_all();
  }
}
