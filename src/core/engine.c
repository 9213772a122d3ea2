/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include "clock.h"
#include "fork.h"
#include "lane.h"
#include "random.h"
#include "sigpipe.h"

#include <stdlib.h>

/* Rounds of one step while sockets stay ready. Without the loop a large transfer crawls under a host that steps
 * seldom; without the bound it would hold the host. */
#define MOST_ROUNDS 64

/* Seconds after which a step that must not wait leaves the rest to the next one: handshakes take about a millisecond of
 * CPU each, and many that end at once would hold the host. */
#define SLICE 0.004

/* Reads share connections; what must have one of its own goes another way. */
enum { SHARED = 0, EXCLUSIVE, LANES };

struct cai_engine {
  unsigned references;
  bool open;
  cai_poller poller;
  cai_lane lanes[LANES];
  cai_sockets sockets;
  cai_origin *origins;
  cai_call *first, *last; /* in flight, oldest first; each with a reference of ours */
  cai_timers timers;
  int in_flight;          /* calls and timers */
  unsigned long finished; /* likewise, ever */
  double stepped;         /* when it was last stepped */
  bool cut_short;         /* the last step left something to do */
  unsigned turn;          /* of the sockets, who is served first */
  uint64_t random;
  unsigned forks; /* cai_fork_count when opened */
};

/* Closes the connections, which must carry no calls any more, and what we hold ourselves. */
static void close_lanes(cai_engine *engine) {
  for (int i = 0; i < LANES; i++)
    cai_lane_close(&engine->lanes[i]);
  cai_poller_close(&engine->poller);
  cai_sockets_close_all(&engine->sockets);
  engine->open = false;
}

/* Makes the lanes and the poller. False: out of descriptors, and nothing is held. */
static bool open_lanes(cai_engine *engine) {
  engine->forks = cai_fork_count();
  engine->open = cai_poller_open(&engine->poller);
  for (unsigned i = 0; i < LANES; i++)
    cai_lane_open(&engine->lanes[i], &engine->poller, i);
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
  engine->random = cai_random_seed();
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
  cai_origin_free(engine->origins);
  free(engine);
}

int cai_engine_in_flight(const cai_engine *engine) {
  return engine->in_flight;
}

unsigned long cai_engine_finished(const cai_engine *engine) {
  return engine->finished;
}

double cai_engine_age(const cai_engine *engine) {
  return cai_clock_now() - engine->stepped;
}

static cai_lane *lane_of(cai_engine *engine, const cai_call *call) {
  return &engine->lanes[cai_request_is_exclusive(&call->request) ? EXCLUSIVE : SHARED];
}

static void link_call(cai_engine *engine, cai_call *call) {
  call->previous = engine->last;
  call->next = NULL;
  if (engine->last != NULL)
    engine->last->next = call;
  else
    engine->first = call;
  engine->last = call;
  engine->in_flight++;
  cai_call_retain(call);
}

/* Lets go of a finished call; it may be freed here. */
static void unlink_call(cai_engine *engine, cai_call *call) {
  if (call->previous != NULL)
    call->previous->next = call->next;
  else
    engine->first = call->next;
  if (call->next != NULL)
    call->next->previous = call->previous;
  else
    engine->last = call->previous;
  call->previous = call->next = NULL;
  engine->in_flight--;
  engine->finished++;
  cai_call_release(call);
}

/* An attempt is over, or given up: the room that it took is free. */
static void make_room(cai_call *call) {
  if (!call->admitted)
    return;
  call->admitted = false;
  call->origin->running--;
}

/* Ends a call that is in flight, for `reason`. */
static void abandon(cai_engine *engine, cai_call *call, const char *reason) {
  if (call->transfer.easy != NULL)
    cai_lane_remove(lane_of(engine, call), call->transfer.easy);
  make_room(call);
  cai_call_abandon(call, reason, cai_clock_now());
  unlink_call(engine, call);
}

/* Takes note of timers that ended. */
static void count_timers(cai_engine *engine, int ended) {
  engine->in_flight -= ended;
  engine->finished += (unsigned long)ended;
}

static void stop_timers(cai_engine *engine) {
  while (engine->timers.first != NULL)
    count_timers(engine, cai_timers_remove(&engine->timers, engine->timers.first));
}

/* In a forked child: closes the copies of the sockets and leaves everything else of libcurl's alone, unfreed, as
 * cleaning up would speak on the parent's connections. The poller's descriptors may be the host's by now and stay open,
 * too. */
static void desert(cai_engine *engine) {
  for (int i = 0; i < LANES; i++)
    engine->lanes[i].multi = NULL;
  engine->poller = (cai_poller){.queue = -1, .timer = -1};
  close_lanes(engine);
  while (engine->first != NULL) {
    cai_call *call = engine->first;
    call->transfer.easy = NULL;
    call->unclear = true; /* the parent goes on with it */
    abandon(engine, call, "the process was forked while the call was in flight: it goes on in the parent");
  }
  stop_timers(engine);
}

/* After a fork the child begins anew, with no connections. False: the engine is closed. */
static bool is_open(cai_engine *engine) {
  if (!engine->open || engine->forks == cai_fork_count())
    return engine->open;
  desert(engine);
  engine->random = cai_random_seed(); /* else parent and child retry at the same time */
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
  while (engine->first != NULL)
    abandon(engine, engine->first, "the engine was closed");
  stop_timers(engine);
  close_lanes(engine);
  cai_sigpipe_release(&held);
}

/* Takes the end of an attempt in, and the call out when it was the last. */
static void attempted(cai_engine *engine, cai_call *call, CURLcode code) {
  make_room(call);
  cai_call_attempted(call, code, cai_clock_now(), cai_random_jitter(&engine->random));
  if (call->origin != NULL && call->transfer.multiplexed)
    call->origin->multiplexed = true;
  if (call->state == CAI_CALL_FINISHED)
    unlink_call(engine, call);
}

/* Begins an attempt, or leaves the call waiting for room. */
static void attempt(cai_engine *engine, cai_call *call) {
  if (call->origin != NULL && !cai_origin_has_room(call->origin)) {
    call->state = CAI_CALL_WAITING;
    return;
  }
  if (call->origin != NULL) {
    call->admitted = true;
    call->origin->running++;
  }
  bool begun = cai_call_attempt(call, &engine->sockets, cai_clock_now());
  if (begun && !cai_lane_add(lane_of(engine, call), call->transfer.easy)) {
    cai_transfer_end(&call->transfer);
    begun = false;
  }
  if (!begun)
    attempted(engine, call, CURLE_OUT_OF_MEMORY);
}

/* When there is something to do without an event. */
static double next_due(const cai_engine *engine) {
  double due = engine->cut_short && engine->in_flight > 0 ? 0 : cai_timers_due(&engine->timers);
  for (int i = 0; i < LANES; i++)
    due = fmin(due, engine->lanes[i].due);
  for (const cai_call *call = engine->first; call != NULL; call = call->next) {
    if (call->state == CAI_CALL_BACKING_OFF)
      due = fmin(due, call->due);
    else if (call->state == CAI_CALL_WAITING && cai_origin_has_room(call->origin))
      due = 0;
  }
  return due;
}

/* Tells whoever waits on the descriptor when to step. To be called whenever something has changed. */
static void set_alarm(cai_engine *engine) {
  if (engine->poller.timer >= 0)
    cai_poller_alarm(&engine->poller, next_due(engine) - cai_clock_now());
}

double cai_engine_timeout(cai_engine *engine) {
  return is_open(engine) ? fmax(0, next_due(engine) - cai_clock_now()) : CAI_NEVER;
}

int cai_engine_descriptor(cai_engine *engine) {
  int descriptor = is_open(engine) ? cai_poller_descriptor(&engine->poller) : -1;
  if (descriptor >= 0)
    set_alarm(engine);
  return descriptor;
}

void cai_engine_start(cai_engine *engine, cai_call *call) {
  if (!is_open(engine)) {
    cai_call_abandon(call, "the engine is closed", cai_clock_now());
    return;
  }
  const cai_base_url *base = &call->client->base;
  if (!cai_request_is_exclusive(&call->request)) /* without memory for it, it waits for no room */
    call->origin = cai_origin_find(&engine->origins, base->text, base->origin);
  link_call(engine, call);
  attempt(engine, call);
  engine->stepped = -CAI_NEVER; /* what is new waits for a step, however short ago the last one was */
  set_alarm(engine);
}

static bool is_in_flight(const cai_call *call) {
  return call->state != CAI_CALL_NEW && call->state != CAI_CALL_FINISHED;
}

void cai_engine_cancel(cai_engine *engine, cai_call *call) {
  if (!is_in_flight(call) || !is_open(engine) || !is_in_flight(call)) /* is_open ends it when it finds a fork */
    return;
  cai_sigpipe held;
  cai_sigpipe_hold(&held);
  abandon(engine, call, "the call was cancelled");
  set_alarm(engine);
  cai_sigpipe_release(&held);
}

void cai_engine_cancel_all(cai_engine *engine, const cai_client *client) {
  if (!is_open(engine))
    return;
  cai_sigpipe held;
  cai_sigpipe_hold(&held);
  for (cai_call *call = engine->first, *next; call != NULL; call = next) {
    next = call->next;
    if (call->client == client)
      abandon(engine, call, "the client was closed");
  }
  set_alarm(engine);
  cai_sigpipe_release(&held);
}

void cai_engine_start_timer(cai_engine *engine, cai_timer *timer, double seconds) {
  if (!is_open(engine))
    return;
  cai_timers_add(&engine->timers, timer, cai_clock_now() + seconds);
  engine->in_flight++;
  set_alarm(engine);
}

void cai_engine_stop_timer(cai_engine *engine, cai_timer *timer) {
  if (!is_open(engine)) /* it ends all timers when it finds a fork */
    return;
  count_timers(engine, cai_timers_remove(&engine->timers, timer));
  set_alarm(engine);
}

/* Ends the timers and begins the attempts whose wait is over. */
static void run_due(cai_engine *engine) {
  count_timers(engine, cai_timers_expire(&engine->timers, cai_clock_now()));
  for (cai_call *call = engine->first, *next; call != NULL; call = next) {
    next = call->next;
    if (call->state == CAI_CALL_WAITING || (call->state == CAI_CALL_BACKING_OFF && call->due <= cai_clock_now()))
      attempt(engine, call);
  }
}

/* Takes in the transfers that ended. Whether a call is finished. */
static bool reap(cai_engine *engine) {
  unsigned long before = engine->finished;
  CURL *easy;
  CURLcode code;
  for (int i = 0; i < LANES; i++) {
    while (cai_lane_take(&engine->lanes[i], &easy, &code)) {
      char *owner = NULL;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
      attempted(engine, (cai_call *)(void *)owner, code);
    }
  }
  return engine->finished != before;
}

/* Milliseconds to wait for, within `timeout` (-1: without end), until `due`. */
static int shorten(int timeout, double due) {
  if (due == CAI_NEVER)
    return timeout;
  double left = ceil((due - cai_clock_now()) * 1e3);
  if (left <= 0)
    return 0;
  return timeout < 0 || left < timeout ? (int)fmin(left, 60e3) : timeout;
}

/* Hands ready sockets and passed timeouts to libcurl, as far as it comes until `end`; what is left is ready still, and
 * the first is another one each time, so that none is left for ever. Whether there was anything. */
static bool serve(cai_engine *engine, int timeout, double end) {
  cai_poller_event events[CAI_POLLER_EVENTS];
  bool any = false;
  for (int i = 0; i < LANES; i++)
    any = cai_lane_serve_timer(&engine->lanes[i]) || any;
  int count = cai_poller_wait(&engine->poller, any ? 0 : timeout, events);
  unsigned first = engine->turn++;
  for (int i = 0; i < count && (i == 0 || cai_clock_now() < end); i++) {
    const cai_poller_event *event = &events[(first + (unsigned)i) % (unsigned)count];
    cai_lane_serve_socket(&engine->lanes[event->tag], event);
  }
  return any || count > 0;
}

int cai_engine_step(cai_engine *engine, int timeout) {
  if (!is_open(engine) || engine->in_flight == 0)
    return 0;
  cai_sigpipe held;
  cai_sigpipe_hold(&held);
  double end = timeout == 0 ? cai_clock_now() + SLICE : CAI_NEVER;
  engine->cut_short = false;
  unsigned long before = engine->finished;
  for (int round = 0; round < MOST_ROUNDS && engine->in_flight > 0 && !engine->cut_short; round++) {
    run_due(engine);
    bool wait = round == 0 && engine->finished == before; /* else somebody has what they waited for */
    bool any = serve(engine, wait ? shorten(timeout, next_due(engine)) : 0, end);
    engine->cut_short = any && cai_clock_now() >= end;
    if (!any || reap(engine))
      break;
  }
  run_due(engine); /* into the room that was made */
  engine->stepped = engine->cut_short ? -CAI_NEVER : cai_clock_now();
  set_alarm(engine);
  cai_sigpipe_release(&held);
  return engine->in_flight;
}
