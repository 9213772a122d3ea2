/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "scene.h"

#include <math.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

/* Timers in an engine: whoever waits for one does what they do for a call. */

static cai_engine *new_engine(void) {
  cai_engine *engine = cai_engine_new();
  CHECK(engine != NULL);
  return engine;
}

static void a_step_waits_for_it(void) {
  cai_engine *engine = new_engine();
  cai_timer timer = {.running = false};
  cai_engine_start_timer(engine, &timer, 0.15);
  double start = scene_now();
  CHECK(timer.running && cai_engine_in_flight(engine) == 1 && cai_engine_finished(engine) == 0);
  CHECK(cai_engine_timeout(engine) > 0.1 && cai_engine_timeout(engine) <= 0.15);
  CHECK(cai_engine_step(engine, 0) == 1 && cai_engine_step(engine, 30) == 1 && timer.running);
  int steps = 0;
  while (cai_engine_step(engine, -1) > 0)
    steps++;
  double spent = scene_now() - start;
  CHECK_CASE(spent >= 0.15 && spent < 0.5 && steps < 5, "%g s, %d steps", spent, steps);
  CHECK(!timer.running && timer.passed);
  CHECK(cai_engine_in_flight(engine) == 0 && cai_engine_finished(engine) == 1 && isinf(cai_engine_timeout(engine)));
  cai_engine_release(engine);
}

/* step(-1) returns when one has ended, and does not wait for the next one first. */
static void each_end_ends_a_step(void) {
  cai_engine *engine = new_engine();
  cai_timer due = {.running = false}, late = {.running = false};
  cai_engine_start_timer(engine, &late, 60);
  cai_engine_start_timer(engine, &due, 0);
  double start = scene_now();
  CHECK(cai_engine_timeout(engine) == 0);
  CHECK(cai_engine_step(engine, -1) == 1 && due.passed && late.running);
  CHECK(scene_now() - start < 5);
  cai_engine_stop_timer(engine, &late);
  CHECK(!late.running && !late.passed && cai_engine_finished(engine) == 2 && cai_engine_in_flight(engine) == 0);
  cai_engine_stop_timer(engine, &late);
  cai_engine_stop_timer(engine, &due);
  CHECK(cai_engine_finished(engine) == 2 && due.passed);
  cai_engine_release(engine);
}

static bool wakes(int descriptor, int milliseconds) {
  struct pollfd polled = {.fd = descriptor, .events = POLLIN};
  return poll(&polled, 1, milliseconds) == 1;
}

static void the_descriptor_wakes_for_it(void) {
  cai_engine *engine = new_engine();
  int descriptor = cai_engine_descriptor(engine);
  cai_timer timer = {.running = false};
  cai_engine_start_timer(engine, &timer, 0.05);
  CHECK(!wakes(descriptor, 10) && wakes(descriptor, 2000));
  CHECK(cai_engine_step(engine, 0) == 0 && timer.passed);
  CHECK(!wakes(descriptor, 20));
  cai_engine_start_timer(engine, &timer, 0.05);
  cai_engine_stop_timer(engine, &timer);
  CHECK(!wakes(descriptor, 100));
  cai_engine_release(engine);
}

static void calls_go_on_meanwhile(void) {
  static const loopback_step script[] = {{.bytes = SCENE_OK, .pause = 30}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  cai_timer before = {.running = false}, after = {.running = false};
  cai_engine_start_timer(s.engine, &after, 5);
  cai_call *call = scene_start(&s, CAI_GET);
  cai_engine_start_timer(s.engine, &before, 0.01);
  CHECK(cai_engine_in_flight(s.engine) == 3);
  CHECK(scene_finish(&s, call, 2) && call->status == 200);
  CHECK(before.passed && after.running && cai_engine_finished(s.engine) == 2);
  cai_engine_cancel_all(s.engine, s.client);
  CHECK(after.running); /* it is no client's */
  cai_engine_stop_timer(s.engine, &after);
  cai_call_release(call);
  scene_close(&s);
}

static void closing_stops_them(void) {
  cai_engine *engine = new_engine();
  cai_timer timers[3] = {{.running = false}};
  cai_engine_start_timer(engine, &timers[0], 5);
  cai_engine_start_timer(engine, &timers[1], 1);
  cai_engine_close(engine);
  CHECK(!timers[0].running && !timers[1].running && !timers[0].passed && cai_engine_in_flight(engine) == 0);
  cai_engine_start_timer(engine, &timers[2], 1);
  CHECK(!timers[2].running && !timers[2].passed);
  cai_engine_stop_timer(engine, &timers[2]);
  cai_engine_release(engine);
}

/* The child has the parent's timers stopped, and runs its own. */
static void a_fork_leaves_them_to_the_parent(void) {
  cai_engine *engine = new_engine();
  cai_timer timer = {.running = false};
  cai_engine_start_timer(engine, &timer, 0.3);
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    alarm(10);
    cai_timer own = {.running = false};
    cai_engine_start_timer(engine, &own, 0.02);
    if (timer.running || timer.passed || !own.running || cai_engine_in_flight(engine) != 1)
      _exit(1);
    while (cai_engine_step(engine, -1) > 0)
      continue;
    _exit(own.passed ? 0 : 2);
  }
  while (cai_engine_step(engine, -1) > 0)
    continue;
  CHECK(timer.passed);
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  cai_engine_release(engine);
}

int main(void) {
  a_step_waits_for_it();
  each_end_ends_a_step();
  the_descriptor_wakes_for_it();
  calls_go_on_meanwhile();
  closing_stops_them();
  a_fork_leaves_them_to_the_parent();
  return check_end();
}
