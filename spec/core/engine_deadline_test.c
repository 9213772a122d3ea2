/* SPDX-License-Identifier: Apache-2.0 */
/* The deadline of a call holds for all that it does: waiting for a place, attempts, and pauses. */
#include "check.h"
#include "scene.h"

static void soon(cai_client_options *options) {
  options->deadline = 300;
}

static void one_place_and_soon(cai_client_options *options) {
  soon(options);
  options->max_connections = 1;
}

static double seconds_until_end(scene *s, cai_call *call) {
  double before = scene_now();
  CHECK(scene_finish(s, call, 5));
  return scene_now() - before;
}

/* Two hundred calls at once, of which few get a place, do not take many times their time. */
static void waiting_for_a_place_is_timed(void) {
  static const loopback_step script[] = {{.action = LOOPBACK_HANG}};
  for (cai_method method = CAI_GET; method <= CAI_DELETE; method++) {
    scene s;
    scene_open(&s, SCENE_STEPS(script), one_place_and_soon);
    cai_call *first = scene_start(&s, method);
    s.client->deadline -= 50; /* the second ends while the first still has the place, however slow their starts are */
    cai_call *second = scene_start(&s, method);
    double seconds = seconds_until_end(&s, second);
    CHECK(first->state == CAI_CALL_RUNNING && scene_finish(&s, first, 5));
    CHECK_CASE(seconds > 0.2 && seconds < 1.5, "%g s", seconds);
    CHECK(first->state == CAI_CALL_FINISHED && first->kind == CAI_KIND_TIMEOUT && first->attempts == 1);
    CHECK(second->kind == CAI_KIND_TIMEOUT && second->attempts == 0);
    CHECK(strstr(second->message, "deadline") != NULL);
    bool changes = method != CAI_GET;
    CHECK(first->outcome == (changes ? CAI_OUTCOME_UNKNOWN : CAI_OUTCOME_NONE));
    CHECK(second->outcome == (changes ? CAI_OUTCOME_NOT_APPLIED : CAI_OUTCOME_NONE));
    CHECK(loopback_requests(s.server) == 1);
    cai_call_release(first);
    cai_call_release(second);
    scene_close(&s);
  }
}

/* A pause that would end after the deadline is for nothing: the error says at once what the service asked for. */
static void a_pause_past_the_deadline_is_not_begun(void) {
  static const loopback_step script[] = {
      {.action = LOOPBACK_ANSWER, .bytes = SCENE_STATUS("503 Busy", "Retry-After: 8\r\n")}};
  for (cai_method method = CAI_GET; method <= CAI_DELETE; method++) {
    scene s;
    scene_open(&s, SCENE_STEPS(script), soon);
    cai_call *call = scene_start(&s, method);
    double seconds = seconds_until_end(&s, call);
    CHECK_CASE(seconds < 0.25, "%g s", seconds);
    CHECK(call->kind == CAI_KIND_API && call->status == 503 && call->retry_after == 8 && call->attempts == 1);
    CHECK(call->outcome == (method == CAI_GET ? CAI_OUTCOME_NONE : CAI_OUTCOME_NOT_APPLIED));
    CHECK(call->records[0].wait < 0);
    cai_call_release(call);
    scene_close(&s);
  }
}

/* Attempts that fail at once, with pauses that double: more of them than the deadline has time for. */
static void attempts_and_pauses_count_together(void) {
  static const loopback_step script[] = {{.action = LOOPBACK_SILENT}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  s.client->deadline = 1000;
  s.client->max_retries = 20;
  cai_call *call = scene_start(&s, CAI_GET);
  double seconds = seconds_until_end(&s, call);
  CHECK_CASE(seconds < 1.1, "%g s", seconds);
  /* On a busy machine the deadline may end within an attempt. */
  CHECK(call->kind == CAI_KIND_NETWORK || call->kind == CAI_KIND_TIMEOUT);
  CHECK(call->attempts >= 2 && call->attempts <= 3);
  cai_call_release(call);
  scene_close(&s);
}

static void without_one_a_call_takes_its_time(void) {
  static const loopback_step script[] = {
      {.action = LOOPBACK_ANSWER, .bytes = SCENE_STATUS("503 Busy", "Retry-After: 1\r\n")},
      {.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  cai_call *call = scene_run(&s, CAI_GET);
  CHECK(call->kind == CAI_KIND_NONE && call->attempts == 2);
  cai_call_release(call);
  scene_close(&s);
}

int main(void) {
  waiting_for_a_place_is_timed();
  a_pause_past_the_deadline_is_not_begun();
  attempts_and_pauses_count_together();
  without_one_a_call_takes_its_time();
  return check_end();
}
