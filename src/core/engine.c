/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include "fork.h"
#include "poller.h"
#include "sigpipe.h"
#include "sockets.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Rounds of one step while sockets stay ready. Without the loop a large transfer crawls under a host that steps
 * seldom; without the bound it would hold the host. */
#define MOST_ROUNDS 64

#define NEVER INFINITY

/* Calls that must have a connection of their own run apart from the others: among the connections to one host, libcurl
 * would make reads wait for them, or take from them that the host speaks no HTTP/2. */
enum { SHARED = 0, EXCLUSIVE, LANES };

typedef struct {
  cai_engine *engine;
  CURLM *multi;
  double due; /* when libcurl wants its timeouts looked at (our clock) */
} lane;

struct cai_engine {
  unsigned references;
  bool open;
  lane lanes[LANES];
  cai_poller poller;
  cai_sockets sockets;
  cai_call *calls; /* in flight; each with a reference of ours */
  int in_flight;
  uint64_t random;
  unsigned forks; /* cai_fork_count when made */
};

/* Seconds on a clock that only goes forward. */
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Jitter needs no more than xorshift64 (Marsaglia 2003): from 0 up to 1. */
static double next_random(cai_engine *engine) {
  engine->random ^= engine->random << 13;
  engine->random ^= engine->random >> 7;
  engine->random ^= engine->random << 17;
  return (double)(engine->random >> 11) / 9007199254740992.0;
}

static int on_socket(CURL *easy, curl_socket_t descriptor, int what, void *user, void *known) {
  lane *at = user;
  cai_poller *poller = &at->engine->poller;
  unsigned tag = (unsigned)(at - at->engine->lanes);
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    cai_poller_watch(poller, descriptor, tag, true, false, false);
    return 0;
  }
  cai_poller_watch(poller, descriptor, tag, known != NULL, (what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0);
  if (known == NULL)
    curl_multi_assign(at->multi, descriptor, at); /* comes back as `known` */
  return 0;
}

static int on_timer(CURLM *multi, long milliseconds, void *user) {
  lane *at = user;
  (void)multi;
  at->due = milliseconds < 0 ? NEVER : now() + (double)milliseconds / 1e3;
  return 0;
}

static bool open_lane(cai_engine *engine, lane *at) {
  *at = (lane){.engine = engine, .multi = curl_multi_init(), .due = NEVER};
  if (at->multi == NULL)
    return false;
  curl_multi_setopt(at->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(at->multi, CURLMOPT_SOCKETDATA, at);
  curl_multi_setopt(at->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(at->multi, CURLMOPT_TIMERDATA, at);
#if LIBCURL_VERSION_NUM >= 0x074300
  curl_multi_setopt(at->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 256L); /* with its 100, many calls open connections */
#endif
  return true;
}

/* Closes the lanes' connections, which must carry no calls any more, and what we hold ourselves. */
static void close_lanes(cai_engine *engine) {
  for (int i = 0; i < LANES; i++) {
    if (engine->lanes[i].multi != NULL)
      curl_multi_cleanup(engine->lanes[i].multi);
    engine->lanes[i].multi = NULL;
  }
  cai_poller_close(&engine->poller);
  cai_sockets_close_all(&engine->sockets);
  engine->open = false;
}

/* Makes the lanes and the poller. False: out of memory or descriptors, and nothing is held. */
static bool open_lanes(cai_engine *engine) {
  engine->open = cai_poller_open(&engine->poller);
  for (int i = 0; i < LANES && engine->open; i++)
    engine->open = open_lane(engine, &engine->lanes[i]);
  if (!engine->open)
    close_lanes(engine);
  return engine->open;
}

cai_engine *cai_engine_new(void) {
  /* Counted by libcurl, thread-safe since 7.84, and never undone: the host may use libcurl too. */
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return NULL;
  cai_fork_watch();
  cai_engine *engine = calloc(1, sizeof *engine);
  if (engine == NULL)
    return NULL;
  engine->references = 1;
  engine->forks = cai_fork_count();
  engine->random = (uint64_t)(now() * 1e9) ^ ((uint64_t)getpid() << 32) ^ (uint64_t)(uintptr_t)engine;
  if (engine->random == 0)
    engine->random = 1;
  if (!open_lanes(engine)) {
    free(engine);
    return NULL;
  }
  return engine;
}

cai_engine *cai_engine_retain(cai_engine *engine) {
  engine->references++;
  return engine;
}

void cai_engine_release(cai_engine *engine) {
  if (engine == NULL || --engine->references > 0)
    return;
  cai_engine_close(engine);
  free(engine);
}

int cai_engine_in_flight(const cai_engine *engine) {
  return engine->in_flight;
}

static void link_call(cai_engine *engine, cai_call *call) {
  call->previous = NULL;
  call->next = engine->calls;
  if (engine->calls != NULL)
    engine->calls->previous = call;
  engine->calls = call;
  engine->in_flight++;
  cai_call_retain(call);
}

/* Lets go of a finished call; it may be freed here. */
static void unlink_call(cai_engine *engine, cai_call *call) {
  if (call->previous != NULL)
    call->previous->next = call->next;
  else
    engine->calls = call->next;
  if (call->next != NULL)
    call->next->previous = call->previous;
  call->previous = call->next = NULL;
  engine->in_flight--;
  cai_call_release(call);
}

static lane *lane_of(cai_engine *engine, const cai_call *call) {
  return &engine->lanes[cai_request_is_exclusive(&call->request) ? EXCLUSIVE : SHARED];
}

/* Ends a call that is in flight, for `reason`. */
static void abandon(cai_engine *engine, cai_call *call, const char *reason) {
  if (call->transfer.easy != NULL)
    curl_multi_remove_handle(lane_of(engine, call)->multi, call->transfer.easy);
  cai_call_abandon(call, reason, now());
  unlink_call(engine, call);
}

/* In a forked child: closes the copies of the sockets and leaves everything else of libcurl's alone, unfreed, as
 * cleaning up would speak on the parent's connections. The poller's descriptor may be the host's by now and stays open,
 * too. */
static void desert(cai_engine *engine) {
  for (int i = 0; i < LANES; i++)
    engine->lanes[i].multi = NULL;
  engine->poller.epoll = -1;
  close_lanes(engine);
  while (engine->calls != NULL) {
    cai_call *call = engine->calls;
    call->transfer.easy = NULL;
    call->unclear = true; /* the parent goes on with it */
    cai_call_abandon(call, "the process was forked while the call was in flight: it goes on in the parent", now());
    unlink_call(engine, call);
  }
}

/* After a fork the child begins anew, with no connections. False: the engine is closed. */
static bool is_open(cai_engine *engine) {
  if (!engine->open || engine->forks == cai_fork_count())
    return engine->open;
  desert(engine);
  engine->forks = cai_fork_count();
  engine->random ^= (uint64_t)getpid() << 16 | 1;
  return open_lanes(engine);
}

void cai_engine_close(cai_engine *engine) {
  if (!engine->open)
    return;
  if (engine->forks != cai_fork_count()) {
    desert(engine);
    return;
  }
  cai_sigpipe held;
  cai_sigpipe_hold(&held);
  while (engine->calls != NULL)
    abandon(engine, engine->calls, "the engine was closed");
  close_lanes(engine);
  cai_sigpipe_release(&held);
}

/* Takes the end of an attempt in, and the call out when it was the last. */
static void attempted(cai_engine *engine, cai_call *call, CURLcode code) {
  cai_call_attempted(call, code, now(), next_random(engine));
  if (call->state == CAI_CALL_FINISHED)
    unlink_call(engine, call);
}

static void attempt(cai_engine *engine, cai_call *call) {
  if (!cai_call_attempt(call, &engine->sockets, now())) {
    attempted(engine, call, CURLE_OUT_OF_MEMORY);
  } else if (curl_multi_add_handle(lane_of(engine, call)->multi, call->transfer.easy) != CURLM_OK) {
    cai_transfer_end(&call->transfer);
    attempted(engine, call, CURLE_OUT_OF_MEMORY);
  }
}

void cai_engine_start(cai_engine *engine, cai_call *call) {
  if (!is_open(engine)) {
    cai_call_abandon(call, "the engine is closed", now());
    return;
  }
  link_call(engine, call);
  attempt(engine, call);
}

void cai_engine_cancel(cai_engine *engine, cai_call *call) {
  bool in_flight = call->state == CAI_CALL_RUNNING || call->state == CAI_CALL_BACKING_OFF;
  if (!in_flight || !is_open(engine) || call->state == CAI_CALL_FINISHED) /* is_open ends it when it finds a fork */
    return;
  cai_sigpipe held;
  cai_sigpipe_hold(&held);
  abandon(engine, call, "the call was cancelled");
  cai_sigpipe_release(&held);
}

void cai_engine_cancel_all(cai_engine *engine, const cai_client *client) {
  if (!is_open(engine))
    return;
  cai_sigpipe held;
  cai_sigpipe_hold(&held);
  for (cai_call *call = engine->calls, *next; call != NULL; call = next) {
    next = call->next;
    if (call->client == client)
      abandon(engine, call, "the client was closed");
  }
  cai_sigpipe_release(&held);
}

/* Starts the attempts whose wait is over. When there is more to do: at once if one was started, as it may have ended
 * already. */
static double run_due(cai_engine *engine) {
  double soonest = NEVER;
  for (cai_call *call = engine->calls, *next; call != NULL; call = next) {
    next = call->next;
    if (call->state != CAI_CALL_BACKING_OFF)
      continue;
    soonest = fmin(soonest, call->due);
    if (call->due <= now())
      attempt(engine, call);
  }
  return soonest;
}

/* Takes in the transfers of a lane that ended. Whether a call is finished. */
static bool reap_lane(cai_engine *engine, CURLM *multi) {
  int before = engine->in_flight, left;
  for (CURLMsg *message; (message = curl_multi_info_read(multi, &left)) != NULL;) {
    if (message->msg != CURLMSG_DONE)
      continue;
    CURL *easy = message->easy_handle;
    CURLcode code = message->data.result; /* gone with the handle */
    char *owner = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
    curl_multi_remove_handle(multi, easy);
    attempted(engine, (cai_call *)(void *)owner, code);
  }
  return engine->in_flight < before;
}

static bool reap(cai_engine *engine) {
  bool finished = false;
  for (int i = 0; i < LANES; i++)
    finished = reap_lane(engine, engine->lanes[i].multi) || finished;
  return finished;
}

/* Milliseconds to wait for, within `timeout` (-1: without end), until `due`. */
static int shorten(int timeout, double due) {
  if (due == NEVER)
    return timeout;
  double left = ceil((due - now()) * 1e3);
  if (left <= 0)
    return 0;
  return timeout < 0 || left < timeout ? (int)fmin(left, 60e3) : timeout;
}

/* Lets libcurl look at its passed timeouts. Whether there were any. */
static bool serve_timers(cai_engine *engine) {
  bool any = false;
  int running;
  for (int i = 0; i < LANES; i++) {
    lane *at = &engine->lanes[i];
    if (at->due > now())
      continue;
    any = true;
    at->due = NEVER;
    curl_multi_socket_action(at->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  return any;
}

/* Hands ready sockets and passed timeouts to libcurl. Whether there was anything. */
static bool serve(cai_engine *engine, int timeout) {
  cai_poller_event events[CAI_POLLER_EVENTS];
  int running;
  bool timers = serve_timers(engine);
  int count = cai_poller_wait(&engine->poller, timers ? 0 : timeout, events);
  for (int i = 0; i < count; i++) {
    int action = (events[i].readable ? CURL_CSELECT_IN : 0) | (events[i].writable ? CURL_CSELECT_OUT : 0) |
                 (events[i].failed ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(engine->lanes[events[i].tag].multi, events[i].descriptor, action, &running);
  }
  return timers || count > 0;
}

int cai_engine_step(cai_engine *engine, int timeout) {
  if (!is_open(engine) || engine->in_flight == 0)
    return 0;
  cai_sigpipe held;
  cai_sigpipe_hold(&held);
  for (int round = 0; round < MOST_ROUNDS; round++) {
    double due = run_due(engine);
    for (int i = 0; i < LANES; i++)
      due = fmin(due, engine->lanes[i].due);
    if (!serve(engine, round > 0 ? 0 : shorten(timeout, due)) || reap(engine))
      break;
  }
  cai_sigpipe_release(&held);
  return engine->in_flight;
}
