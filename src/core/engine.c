/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include "clock.h"
#include "dispatch.h"
#include "fork.h"
#include "random.h"
#include "sigpipe.h"

#include <stdlib.h>

/* Rounds of one step while sockets stay ready. Without the loop a large transfer crawls under a host that steps
 * seldom; without the bound it would hold the host. */
#define MOST_ROUNDS 64

/* Seconds after which a step that must not wait leaves the rest to the next one: handshakes take about a millisecond of
 * CPU each, and many that end at once would hold the host. */
#define SLICE 0.004

/* Closes the connections, which must carry no calls any more, and what we hold ourselves. */
static void close_lanes(cai_engine *engine) {
  for (cai_lane *lane = engine->lanes; lane != NULL; lane = lane->next) {
    cai_dispatch_retire(engine, lane);
    lane->transfers = 0;
  }
  cai_dispatch_sweep(engine);
  cai_poller_close(&engine->poller);
  cai_sockets_close_all(&engine->sockets);
  engine->open = false;
}

/* Makes the poller. False: out of descriptors, and nothing is held. */
static bool open_poller(cai_engine *engine) {
  engine->forks = cai_fork_count();
  engine->open = cai_poller_open(&engine->poller);
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
  if (!open_poller(engine)) {
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
  for (cai_lane *lane = engine->lanes; lane != NULL; lane = lane->next)
    lane->multi = NULL;
  engine->poller = (cai_poller){.queue = -1, .timer = -1};
  close_lanes(engine);
  while (engine->first != NULL) {
    cai_call *call = engine->first;
    call->transfer.easy = NULL;
    call->unclear = true; /* the parent goes on with it */
    cai_dispatch_abandon(engine, call, "the process was forked while the call was in flight: it goes on in the parent");
  }
  stop_timers(engine);
}

/* After a fork the child begins anew, with no connections. False: the engine is closed. */
static bool is_open(cai_engine *engine) {
  if (!engine->open || engine->forks == cai_fork_count())
    return engine->open;
  desert(engine);
  engine->random = cai_random_seed(); /* else parent and child retry at the same time */
  return open_poller(engine);
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
    cai_dispatch_abandon(engine, engine->first, "the engine was closed");
  stop_timers(engine);
  close_lanes(engine);
  cai_sigpipe_release(&held);
}

/* When there is something to do without an event. */
static double next_due(const cai_engine *engine) {
  double due = engine->cut_short && engine->in_flight > 0 ? 0 : cai_timers_due(&engine->timers);
  for (const cai_lane *lane = engine->lanes; lane != NULL; lane = lane->next)
    due = fmin(due, lane->due);
  for (const cai_call *call = engine->first; call != NULL; call = call->next) {
    due = fmin(due, cai_call_due(call));
    if (call->state == CAI_CALL_WAITING && cai_dispatch_has_room(call))
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
    cai_call_abandon(call, CAI_KIND_CANCELLED, "the engine is closed", cai_clock_now());
    return;
  }
  cai_call_begin(call, cai_clock_now());
  cai_dispatch_add(engine, call);
  cai_dispatch_attempt(engine, call);
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
  cai_dispatch_abandon(engine, call, "the call was cancelled");
  cai_dispatch_sweep(engine);
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
      cai_dispatch_abandon(engine, call, "the client was closed");
  }
  cai_dispatch_sweep(engine);
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
  cai_dispatch_begin_due(engine);
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
  for (cai_lane *lane = engine->lanes; lane != NULL; lane = lane->next)
    any = cai_lane_serve_timer(lane) || any;
  int count = cai_poller_wait(&engine->poller, any ? 0 : timeout, events);
  unsigned first = engine->turn++;
  for (int i = 0; i < count && (i == 0 || cai_clock_now() < end); i++) {
    const cai_poller_event *event = &events[(first + (unsigned)i) % (unsigned)count];
    cai_lane *lane = engine->lanes;
    while (lane != NULL && lane->tag != event->tag)
      lane = lane->next;
    if (lane != NULL)
      cai_lane_serve_socket(lane, event);
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
    if (!any || cai_dispatch_reap(engine))
      break;
  }
  cai_dispatch_end_overdue(engine);
  run_due(engine); /* into the room that was made */
  engine->stepped = engine->cut_short ? -CAI_NEVER : cai_clock_now();
  set_alarm(engine);
  cai_sigpipe_release(&held);
  return engine->in_flight;
}
