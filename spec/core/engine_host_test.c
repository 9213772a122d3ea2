/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine offers to hosts with a loop of their own: one descriptor, times, and how many have ended. */
#include "check.h"
#include "scene.h"

#include <math.h>
#include <poll.h>

static bool wakes(int descriptor, int milliseconds) {
  struct pollfd polled = {.fd = descriptor, .events = POLLIN};
  return poll(&polled, 1, milliseconds) == 1;
}

/* A host's loop: it steps only when the descriptor says so. The number of times that it was woken, or -1. */
static int run_by_descriptor(scene *s, const cai_call *call, double seconds) {
  double end = scene_now() + seconds;
  int woken = 0;
  while (call->state != CAI_CALL_FINISHED && scene_now() < end) {
    if (!wakes(cai_engine_descriptor(s->engine), 1000))
      continue;
    woken++;
    cai_engine_step(s->engine, 0);
  }
  return call->state == CAI_CALL_FINISHED ? woken : -1;
}

static void the_descriptor_brings_a_call_to_its_end(void) {
  static const loopback_step script[] = {{.bytes = SCENE_OK}};
  static const cai_method methods[] = {CAI_GET, CAI_POST};
  for (size_t i = 0; i < 2; i++) {
    scene s;
    scene_open(&s, SCENE_STEPS(script), NULL);
    CHECK(!wakes(cai_engine_descriptor(s.engine), 0));
    cai_call *call = scene_start(&s, methods[i]);
    int woken = run_by_descriptor(&s, call, 5);
    CHECK_CASE(woken > 0 && woken < 20, "woken %d times", woken);
    CHECK(call->kind == CAI_KIND_NONE && call->status == 200);
    CHECK(!wakes(cai_engine_descriptor(s.engine), 20));
    cai_call_release(call);
    scene_close(&s);
  }
}

/* A wait between two attempts has no socket that could wake anybody. */
static void the_descriptor_wakes_for_a_retry(void) {
  static const loopback_step script[] = {{.bytes = SCENE_STATUS("500 No", "")}, {.bytes = SCENE_OK}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  cai_call *call = scene_start(&s, CAI_GET);
  int woken = run_by_descriptor(&s, call, 5);
  CHECK_CASE(woken > 0 && woken < 40, "woken %d times", woken);
  CHECK(call->kind == CAI_KIND_NONE && call->attempts == 2);
  cai_call_release(call);
  scene_close(&s);
}

static void short_timeout(cai_client_options *options) {
  options->timeout = 100;
  options->max_retries = 0;
}

static void the_descriptor_wakes_for_a_timeout(void) {
  static const loopback_step script[] = {{.action = LOOPBACK_HANG}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), short_timeout);
  cai_call *call = scene_start(&s, CAI_GET);
  double start = scene_now();
  CHECK(run_by_descriptor(&s, call, 5) > 0);
  CHECK(call->kind == CAI_KIND_TIMEOUT && scene_now() - start < 1);
  cai_call_release(call);
  scene_close(&s);
}

static void times_and_counts_are_told(void) {
  static const loopback_step script[] = {{.bytes = SCENE_OK}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  CHECK(isinf(cai_engine_timeout(s.engine)) && cai_engine_finished(s.engine) == 0);
  cai_call *call = scene_start(&s, CAI_GET);
  CHECK(cai_engine_timeout(s.engine) == 0); /* begin */
  CHECK(scene_finish(&s, call, 5));
  CHECK(cai_engine_finished(s.engine) == 1 && cai_engine_age(s.engine) < 1);
  scene_sleep(30);
  CHECK(cai_engine_age(s.engine) >= 0.03);
  cai_call *cancelled = scene_start(&s, CAI_GET);
  cai_engine_cancel(s.engine, cancelled);
  CHECK(cai_engine_finished(s.engine) == 2);
  cai_call_release(cancelled);
  cai_call_release(call);
  scene_close(&s);
}

enum { CALLS = 40, ROOM = 32 };

static void some_room(cai_client_options *options) {
  options->max_connections = ROOM;
}

/* Reads beyond the room at an origin wait, in order; what is cancelled makes room, too. What changes something does not
 * wait for reads. */
static void reads_wait_for_room(void) {
  static const loopback_step script[] = {{.action = LOOPBACK_HANG}};
  cai_call *calls[CALLS];
  scene s;
  scene_open(&s, SCENE_STEPS(script), some_room);
  for (int i = 0; i < CALLS; i++)
    calls[i] = scene_start(&s, CAI_GET);
  cai_call *change = scene_start(&s, CAI_PUT);
  CHECK(change->state == CAI_CALL_RUNNING);
  cai_engine_cancel(s.engine, change);
  cai_call_release(change);
  for (int i = 0; i < CALLS; i++)
    CHECK(calls[i]->state == (i < ROOM ? CAI_CALL_RUNNING : CAI_CALL_WAITING));
  cai_engine_step(s.engine, 50);
  CHECK(calls[ROOM]->state == CAI_CALL_WAITING && calls[ROOM]->attempts == 0);
  cai_engine_cancel(s.engine, calls[CALLS - 1]);
  CHECK(calls[CALLS - 1]->kind == CAI_KIND_CANCELLED && calls[CALLS - 1]->attempts == 0);
  cai_engine_cancel(s.engine, calls[3]);
  cai_engine_cancel(s.engine, calls[7]);
  cai_engine_step(s.engine, 0);
  CHECK(calls[ROOM]->state == CAI_CALL_RUNNING && calls[ROOM + 1]->state == CAI_CALL_RUNNING);
  CHECK(calls[ROOM + 2]->state == CAI_CALL_WAITING);
  for (int i = 0; i < CALLS; i++) {
    cai_engine_cancel(s.engine, calls[i]);
    cai_call_release(calls[i]);
  }
  CHECK(cai_engine_in_flight(s.engine) == 0);
  scene_close(&s);
}

int main(void) {
  the_descriptor_brings_a_call_to_its_end();
  the_descriptor_wakes_for_a_retry();
  the_descriptor_wakes_for_a_timeout();
  times_and_counts_are_told();
  reads_wait_for_room();
  return check_end();
}
