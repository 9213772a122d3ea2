/* SPDX-License-Identifier: Apache-2.0 */
/* A step that must not wait takes a few milliseconds, however much there is to do, and the rest is due at once. */
#include "check.h"
#include "scene.h"

#include <math.h>
#include <poll.h>

enum { CALLS = 20, COST = 3 };

/* Each socket that is served takes milliseconds, as the end of a handshake does. */
static bool slow;
CURLMcode __real_curl_multi_socket_action(CURLM *multi, curl_socket_t descriptor, int events, int *running);
CURLMcode __wrap_curl_multi_socket_action(CURLM *multi, curl_socket_t descriptor, int events, int *running);

CURLMcode __wrap_curl_multi_socket_action(CURLM *multi, curl_socket_t descriptor, int events, int *running) {
  if (slow && descriptor != CURL_SOCKET_TIMEOUT)
    scene_sleep(COST);
  return __real_curl_multi_socket_action(multi, descriptor, events, running);
}

/* Calls whose answers have all come, and been read by nobody. */
static void open_ready(scene *s, cai_call *calls[CALLS]) {
  static const loopback_step script[] = {{.bytes = SCENE_OK, .pause = 50}};
  scene_open(s, SCENE_STEPS(script), NULL);
  for (int i = 0; i < CALLS; i++)
    calls[i] = scene_start(s, CAI_GET);
  CHECK(scene_reach(s, CALLS));
  scene_sleep(70); /* less than any timer of libcurl's, which would serve them all in one go */
  CHECK(cai_engine_in_flight(s->engine) == CALLS);
  slow = true;
}

static void close_ready(scene *s, cai_call *calls[CALLS]) {
  for (int i = 0; i < CALLS; i++)
    cai_call_release(calls[i]);
  slow = false;
  scene_close(s);
}

static bool is_readable(const scene *s) {
  struct pollfd polled = {.fd = cai_engine_descriptor(s->engine), .events = POLLIN};
  return poll(&polled, 1, 5) == 1;
}

static void a_step_leaves_the_rest_to_the_next(void) {
  cai_call *calls[CALLS];
  scene s;
  open_ready(&s, calls);
  double started = scene_now(), longest = 0;
  int steps = 0;
  while (cai_engine_in_flight(s.engine) > 0 && steps < 10 * CALLS) {
    double before = scene_now();
    CHECK(is_readable(&s)); /* a host goes by the descriptor */
    cai_engine_step(s.engine, 0);
    longest = fmax(longest, scene_now() - before);
    steps++;
  }
  CHECK_CASE(longest < CALLS * COST / 2e3, "%.1f ms", longest * 1e3);
  CHECK_CASE(steps >= CALLS / 4 && steps <= CALLS + 5, "%d steps", steps);
  CHECK(scene_now() - started < 1);
  for (int i = 0; i < CALLS; i++)
    CHECK(calls[i]->kind == CAI_KIND_NONE && calls[i]->status == 200);
  CHECK(isinf(cai_engine_timeout(s.engine)) && !is_readable(&s));
  close_ready(&s, calls);
}

/* Whoever goes by times knows it, too; and nobody is woken for what was cancelled. */
static void the_rest_is_due_at_once(void) {
  cai_call *calls[CALLS];
  scene s;
  open_ready(&s, calls);
  for (int i = 0; i < CALLS / 2; i++)
    cai_engine_cancel(s.engine, calls[i]);
  cai_engine_step(s.engine, 0);
  CHECK(cai_engine_in_flight(s.engine) > 0);
  CHECK(cai_engine_timeout(s.engine) == 0 && isinf(cai_engine_age(s.engine)) && is_readable(&s));
  cai_engine_cancel_all(s.engine, s.client);
  CHECK(isinf(cai_engine_timeout(s.engine)));
  cai_engine_step(s.engine, 0);
  CHECK(!is_readable(&s));
  close_ready(&s, calls);
}

/* A step that may wait has no host to hold up. */
static void a_step_that_waits_does_all(void) {
  cai_call *calls[CALLS];
  scene s;
  open_ready(&s, calls);
  for (int steps = 0; steps < 3; steps++)
    cai_engine_step(s.engine, 1000);
  CHECK(cai_engine_in_flight(s.engine) == 0);
  close_ready(&s, calls);
}

int main(void) {
  a_step_leaves_the_rest_to_the_next();
  the_rest_is_due_at_once();
  a_step_that_waits_does_all();
  return check_end();
}
