/* SPDX-License-Identifier: Apache-2.0 */
#include "dispatch.h"

#include "clock.h"
#include "random.h"

void cai_dispatch_retire(cai_engine *engine, cai_lane *lane) {
  lane->retired = true;
  if (engine->exclusive == lane)
    engine->exclusive = NULL;
  for (cai_origin *origin = engine->origins; origin != NULL; origin = origin->next) {
    if (origin->lane == lane)
      origin->lane = NULL;
  }
}

void cai_dispatch_sweep(cai_engine *engine) {
  for (cai_lane **place = &engine->lanes; *place != NULL;) {
    cai_lane *lane = *place;
    if (!lane->retired || lane->transfers > 0) {
      place = &lane->next;
      continue;
    }
    *place = lane->next;
    cai_lane_free(lane);
  }
}

void cai_dispatch_add(cai_engine *engine, cai_call *call) {
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

static bool is_exclusive(const cai_call *call) {
  return cai_request_is_exclusive(&call->request);
}

/* How many calls of its sort are under way at its origin. */
static int *places_of(const cai_call *call) {
  return is_exclusive(call) ? &call->origin->exclusive : &call->origin->shared;
}

bool cai_dispatch_has_room(const cai_call *call) {
  return cai_origin_has_room(call->origin, is_exclusive(call), call->client->max_connections);
}

/* An attempt is over, or given up: the place that it took is free. */
static void make_room(cai_call *call) {
  if (call->admitted)
    --*places_of(call);
  call->admitted = false;
}

/* Takes the transfer of a call off its lane before its end. The connection that it shares may be dead, with nothing to
 * show for it: whoever comes next gets another. */
static void take_off(cai_engine *engine, cai_call *call) {
  if (call->transfer.easy == NULL)
    return;
  cai_lane_remove(call->lane, call->transfer.easy);
  if (!is_exclusive(call) && call->transfer.header_bytes == 0)
    cai_dispatch_retire(engine, call->lane);
}

/* Ends a call that is in flight, for `reason`. */
static void end_as(cai_engine *engine, cai_call *call, cai_kind kind, const char *reason) {
  take_off(engine, call);
  make_room(call);
  cai_call_abandon(call, kind, reason, cai_clock_now());
  unlink_call(engine, call);
}

void cai_dispatch_abandon(cai_engine *engine, cai_call *call, const char *reason) {
  end_as(engine, call, CAI_KIND_CANCELLED, reason);
}

/* Takes the end of an attempt in, and the call out when it was the last. */
static void attempted(cai_engine *engine, cai_call *call, CURLcode code) {
  make_room(call);
  /* libcurl keeps an HTTP/2 connection on which one stream timed out, and idle ones to the same host: if the peer is
   * frozen, all of them would time out, one call after the other. */
  if (code == CURLE_OPERATION_TIMEDOUT && !is_exclusive(call))
    cai_dispatch_retire(engine, call->lane);
  cai_call_attempted(call, code, cai_clock_now(), cai_random_jitter(&engine->random));
  if (call->transfer.multiplexed)
    call->origin->multiplexed = true;
  if (call->state == CAI_CALL_FINISHED)
    unlink_call(engine, call);
}

/* Returns the lane that a call goes by, or NULL when out of memory. */
static cai_lane *find_lane(cai_engine *engine, const cai_call *call) {
  cai_lane **lane = is_exclusive(call) ? &engine->exclusive : &call->origin->lane;
  if (*lane != NULL)
    return *lane;
  *lane = cai_lane_new(&engine->poller, engine->tags);
  if (*lane == NULL)
    return NULL;
  engine->tags++;
  (*lane)->next = engine->lanes;
  engine->lanes = *lane;
  return *lane;
}

void cai_dispatch_attempt(cai_engine *engine, cai_call *call) {
  const cai_base_url *base = &call->client->base;
  if (call->origin == NULL)
    call->origin = cai_origin_find(&engine->origins, base->text, base->origin);
  if (call->origin != NULL && !cai_dispatch_has_room(call)) {
    call->state = CAI_CALL_WAITING;
    return;
  }
  bool begun = cai_call_attempt(call, &engine->sockets, cai_clock_now());
  call->lane = begun && call->origin != NULL ? find_lane(engine, call) : NULL;
  if (call->lane == NULL || !cai_lane_add(call->lane, call->transfer.easy)) {
    cai_transfer_end(&call->transfer);
    attempted(engine, call, CURLE_OUT_OF_MEMORY);
    return;
  }
  call->admitted = true;
  ++*places_of(call);
}

void cai_dispatch_begin_due(cai_engine *engine) {
  for (cai_call *call = engine->first, *next; call != NULL; call = next) {
    next = call->next;
    if (call->state == CAI_CALL_WAITING || (call->state == CAI_CALL_BACKING_OFF && call->due <= cai_clock_now()))
      cai_dispatch_attempt(engine, call);
  }
}

bool cai_dispatch_reap(cai_engine *engine) {
  unsigned long before = engine->finished;
  CURL *easy;
  CURLcode code;
  for (cai_lane *lane = engine->lanes; lane != NULL; lane = lane->next) {
    while (cai_lane_take(lane, &easy, &code)) {
      char *owner = NULL;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
      attempted(engine, (cai_call *)(void *)owner, code);
    }
  }
  return engine->finished != before;
}

/* Ends the attempts on a lane of which libcurl has reported an error, as it may have lost any of them. */
static void end_lane(cai_engine *engine, cai_lane *lane) {
  cai_dispatch_retire(engine, lane);
  for (cai_call *call = engine->first, *next; call != NULL; call = next) {
    next = call->next;
    if (call->state != CAI_CALL_RUNNING || call->lane != lane)
      continue;
    take_off(engine, call);
    cai_transfer_explain(&call->transfer, curl_multi_strerror(lane->code));
    attempted(engine, call, CURLE_FAILED_INIT);
  }
}

void cai_dispatch_end_overdue(cai_engine *engine) {
  for (cai_lane *lane = engine->lanes; lane != NULL; lane = lane->next) {
    if (lane->code != CURLM_OK)
      end_lane(engine, lane);
  }
  for (cai_call *call = engine->first, *next; call != NULL; call = next) {
    double now = cai_clock_now();
    next = call->next;
    if (call->deadline <= now) {
      end_as(engine, call, CAI_KIND_TIMEOUT, "the call's deadline has passed");
    } else if (call->state == CAI_CALL_RUNNING && call->limit <= now) {
      take_off(engine, call);
      attempted(engine, call, CURLE_OPERATION_TIMEDOUT);
    }
  }
  cai_dispatch_sweep(engine);
}
