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

struct cai_engine {
  unsigned references;
  CURLM *multi; /* NULL: closed */
  cai_poller poller;
  cai_sockets sockets;
  cai_call *calls; /* in flight; each with a reference of ours */
  int in_flight;
  double curl_due; /* when libcurl wants its timeouts looked at (our clock) */
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
  cai_engine *engine = user;
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    cai_poller_watch(&engine->poller, descriptor, true, false, false);
    return 0;
  }
  cai_poller_watch(&engine->poller, descriptor, known != NULL, (what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0);
  if (known == NULL)
    curl_multi_assign(engine->multi, descriptor, engine); /* comes back as `known` */
  return 0;
}

static int on_timer(CURLM *multi, long milliseconds, void *user) {
  cai_engine *engine = user;
  (void)multi;
  engine->curl_due = milliseconds < 0 ? NEVER : now() + (double)milliseconds / 1e3;
  return 0;
}

static CURLM *new_multi(cai_engine *engine) {
  CURLM *multi = curl_multi_init();
  if (multi == NULL)
    return NULL;
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, engine);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, engine);
#if LIBCURL_VERSION_NUM >= 0x074300
  curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 256L); /* with its 100, many calls open connections */
#endif
  return multi;
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
  engine->curl_due = NEVER;
  engine->forks = cai_fork_count();
  engine->random = (uint64_t)(now() * 1e9) ^ ((uint64_t)getpid() << 32) ^ (uint64_t)(uintptr_t)engine;
  if (engine->random == 0)
    engine->random = 1;
  engine->multi = new_multi(engine);
  if (engine->multi == NULL || !cai_poller_open(&engine->poller)) {
    engine->poller.epoll = -1;
    cai_engine_release(engine);
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

/* Ends a call that is in flight, for `reason`. */
static void abandon(cai_engine *engine, cai_call *call, const char *reason) {
  if (call->transfer.easy != NULL)
    curl_multi_remove_handle(engine->multi, call->transfer.easy);
  cai_call_abandon(call, reason, now());
  unlink_call(engine, call);
}

/* In a forked child: closes the copies of the descriptors and leaves everything else of libcurl's alone, unfreed, as
 * cleaning up would speak on the parent's connections. The engine is then closed. */
static void desert(cai_engine *engine) {
  engine->multi = NULL;
  cai_poller_close(&engine->poller);
  cai_sockets_close_all(&engine->sockets);
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
  if (engine->multi == NULL || engine->forks == cai_fork_count())
    return engine->multi != NULL;
  desert(engine);
  engine->forks = cai_fork_count();
  engine->curl_due = NEVER;
  engine->random ^= (uint64_t)getpid() << 16 | 1;
  engine->multi = new_multi(engine);
  if (engine->multi != NULL && !cai_poller_open(&engine->poller)) {
    curl_multi_cleanup(engine->multi);
    engine->multi = NULL;
  }
  return engine->multi != NULL;
}

void cai_engine_close(cai_engine *engine) {
  if (engine->multi == NULL)
    return;
  if (engine->forks != cai_fork_count()) {
    desert(engine);
    return;
  }
  cai_sigpipe held;
  cai_sigpipe_hold(&held);
  while (engine->calls != NULL)
    abandon(engine, engine->calls, "the engine was closed");
  curl_multi_cleanup(engine->multi);
  cai_sigpipe_release(&held);
  engine->multi = NULL;
  cai_poller_close(&engine->poller);
  cai_sockets_close_all(&engine->sockets);
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
  } else if (curl_multi_add_handle(engine->multi, call->transfer.easy) != CURLM_OK) {
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
  if (!is_open(engine) || call->state == CAI_CALL_FINISHED) /* a fork has ended it meanwhile */
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

/* Starts the attempts whose wait is over. When the next one is due. */
static double run_due(cai_engine *engine) {
  double soonest = NEVER;
  for (cai_call *call = engine->calls, *next; call != NULL; call = next) {
    next = call->next;
    if (call->state != CAI_CALL_BACKING_OFF)
      continue;
    if (call->due <= now())
      attempt(engine, call);
    else
      soonest = fmin(soonest, call->due);
  }
  return soonest;
}

/* Takes in the transfers that ended. Whether a call is finished. */
static bool reap(cai_engine *engine) {
  bool finished = false;
  int left;
  for (CURLMsg *message; (message = curl_multi_info_read(engine->multi, &left)) != NULL;) {
    if (message->msg != CURLMSG_DONE)
      continue;
    CURL *easy = message->easy_handle;
    CURLcode code = message->data.result; /* gone with the handle */
    char *owner = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
    curl_multi_remove_handle(engine->multi, easy);
    int before = engine->in_flight;
    attempted(engine, (cai_call *)(void *)owner, code);
    finished = finished || engine->in_flight < before;
  }
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

/* Hands ready sockets and passed timeouts to libcurl. Whether there was anything. */
static bool serve(cai_engine *engine, int timeout) {
  cai_poller_event events[CAI_POLLER_EVENTS];
  int running;
  bool timer = engine->curl_due <= now();
  if (timer) {
    engine->curl_due = NEVER;
    curl_multi_socket_action(engine->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    timeout = 0;
  }
  int count = cai_poller_wait(&engine->poller, timeout, events);
  for (int i = 0; i < count; i++) {
    int action = (events[i].readable ? CURL_CSELECT_IN : 0) | (events[i].writable ? CURL_CSELECT_OUT : 0) |
                 (events[i].failed ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(engine->multi, events[i].descriptor, action, &running);
  }
  return timer || count > 0;
}

int cai_engine_step(cai_engine *engine, int timeout) {
  if (!is_open(engine) || engine->in_flight == 0)
    return 0;
  cai_sigpipe held;
  cai_sigpipe_hold(&held);
  for (int round = 0; round < MOST_ROUNDS; round++) {
    double due = fmin(run_due(engine), engine->curl_due);
    if (!serve(engine, round > 0 ? 0 : shorten(timeout, due)) || reap(engine))
      break;
  }
  cai_sigpipe_release(&held);
  return engine->in_flight;
}
