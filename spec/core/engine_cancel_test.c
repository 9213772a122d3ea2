/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "scene.h"

/* Cancelling in each state, closing, and the orders in which owners may let go. */

static const loopback_step hang[] = {{.action = LOOPBACK_HANG}};
static const loopback_step ok[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};
static const loopback_step silent[] = {{.action = LOOPBACK_SILENT}};

static void expect_cancelled(const cai_call *call, cai_outcome outcome) {
  CHECK(call->state == CAI_CALL_FINISHED && call->kind == CAI_KIND_CANCELLED && call->status == 0);
  CHECK_CASE(call->outcome == outcome, "%d", (int)call->outcome);
  CHECK(call->message[0] != '\0' && call->transfer.body.length == 0 && call->transfer.easy == NULL);
}

static void before_a_byte_is_sent(void) {
  scene s;
  scene_open(&s, SCENE_STEPS(hang), NULL);
  cai_call *call = scene_start(&s, CAI_POST);
  cai_engine_cancel(s.engine, call);
  expect_cancelled(call, CAI_OUTCOME_NOT_APPLIED);
  CHECK(cai_engine_in_flight(s.engine) == 0 && loopback_requests(s.server) == 0);
  cai_call_release(call);
  scene_close(&s);
}

static void while_the_answer_is_awaited_and_twice(void) {
  scene s;
  scene_open(&s, SCENE_STEPS(hang), NULL);
  cai_call *read = scene_start(&s, CAI_GET), *create = scene_start(&s, CAI_POST);
  CHECK(scene_reach(&s, 2));
  for (int i = 0; i < 2; i++) {
    cai_engine_cancel(s.engine, create);
    expect_cancelled(create, CAI_OUTCOME_UNKNOWN);
    CHECK(cai_engine_in_flight(s.engine) == 1 && create->references == 1);
  }
  CHECK(create->attempts == 1 && create->records[0].failure == CAI_KIND_CANCELLED);
  cai_engine_cancel(s.engine, read);
  expect_cancelled(read, CAI_OUTCOME_NONE);
  cai_call_release(create);
  cai_call_release(read);
  scene_close(&s);
}

static void while_it_backs_off(void) {
  scene s;
  scene_open(&s, SCENE_STEPS(silent), NULL);
  cai_call *call = scene_start(&s, CAI_DELETE);
  while (call->state == CAI_CALL_RUNNING)
    cai_engine_step(s.engine, 20);
  CHECK(call->state == CAI_CALL_BACKING_OFF);
  cai_engine_cancel(s.engine, call);
  expect_cancelled(call, CAI_OUTCOME_UNKNOWN);         /* of the attempt before */
  CHECK(call->records[0].failure == CAI_KIND_NETWORK); /* whose record stays */
  scene_sleep(600);
  CHECK(cai_engine_step(s.engine, 0) == 0 && loopback_requests(s.server) == 1);
  cai_call_release(call);
  scene_close(&s);
}

static void a_finished_one_stays_as_it_is(void) {
  scene s;
  scene_open(&s, SCENE_STEPS(ok), NULL);
  cai_call *call = scene_run(&s, CAI_GET);
  cai_engine_cancel(s.engine, call);
  CHECK(call->kind == CAI_KIND_NONE && call->status == 200 && call->transfer.body.length == 16);
  cai_call_release(call);
  scene_close(&s);
}

static void others_go_on(void) {
  static const loopback_step late[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK, .pause = 100}};
  enum { CALLS = 9 };
  cai_call *calls[CALLS];
  scene s;
  scene_open(&s, SCENE_STEPS(late), NULL);
  for (int i = 0; i < CALLS; i++)
    calls[i] = scene_start(&s, CAI_GET);
  cai_engine_step(s.engine, 10);
  for (int i = 0; i < CALLS; i += 2) /* the first, the last and some between, of the engine's list */
    cai_engine_cancel(s.engine, calls[i]);
  CHECK(cai_engine_in_flight(s.engine) == CALLS / 2);
  for (int i = 0; i < CALLS; i++) {
    CHECK(scene_finish(&s, calls[i], 5));
    CHECK(calls[i]->kind == (i % 2 == 0 ? CAI_KIND_CANCELLED : CAI_KIND_NONE));
    cai_call_release(calls[i]);
  }
  scene_close(&s);
}

static void all_of_one_client(void) {
  scene s;
  scene_open(&s, SCENE_STEPS(hang), NULL);
  char message[CAI_MESSAGE_SIZE];
  cai_client_options options = scene_options(s.base);
  cai_client *first = s.client, *second = cai_client_new(&options, message);
  cai_call *calls[6];
  for (int i = 0; i < 6; i++) {
    s.client = i % 2 == 0 ? first : second;
    calls[i] = scene_start(&s, CAI_GET);
  }
  s.client = first;
  cai_engine_cancel_all(s.engine, second);
  cai_engine_cancel_all(s.engine, second);
  CHECK(cai_engine_in_flight(s.engine) == 3);
  for (int i = 0; i < 6; i++) {
    CHECK((calls[i]->state == CAI_CALL_FINISHED) == (i % 2 == 1));
    cai_call_release(calls[i]);
  }
  cai_client_release(second);
  scene_close(&s);
}

static void closing_ends_what_is_in_flight(void) {
  scene s;
  scene_open(&s, SCENE_STEPS(hang), NULL);
  cai_call *sent = scene_start(&s, CAI_POST);
  CHECK(scene_reach(&s, 1));
  cai_call *unsent = scene_start(&s, CAI_POST);
  cai_engine_close(s.engine);
  cai_engine_close(s.engine);
  expect_cancelled(sent, CAI_OUTCOME_UNKNOWN);
  expect_cancelled(unsent, CAI_OUTCOME_NOT_APPLIED);
  CHECK(cai_engine_in_flight(s.engine) == 0);
  CHECK(cai_engine_step(s.engine, -1) == 0 && cai_engine_step(s.engine, 0) == 0);
  cai_engine_cancel(s.engine, sent);
  cai_engine_cancel_all(s.engine, s.client);
  cai_call *late = scene_start(&s, CAI_POST);
  expect_cancelled(late, CAI_OUTCOME_NOT_APPLIED);
  cai_call_release(sent);
  cai_call_release(unsent);
  cai_call_release(late);
  scene_close(&s);
}

/* Finalizers come in any order: the client, the call and the engine let go in each of the six, with the call in
 * flight, backing off or finished. */
static void owners_let_go_in_any_order(void) {
  static const char *const orders[] = {"ace", "aec", "cae", "cea", "eac", "eca"};
  static const loopback_step *const scripts[] = {hang, silent, ok};
  for (int script = 0; script < 3; script++) {
    for (int order = 0; order < 6; order++) {
      scene s;
      scene_open(&s, scripts[script], 1, NULL);
      cai_call *call = scene_start(&s, CAI_GET);
      CHECK(scene_reach(&s, 1));
      cai_engine_step(s.engine, 20);
      for (const char *who = orders[order]; *who != '\0'; who++) {
        if (*who == 'a')
          cai_call_release(call);
        if (*who == 'c')
          cai_client_release(s.client);
        if (*who == 'e')
          cai_engine_release(s.engine);
      }
      loopback_stop(s.server);
    }
  }
}

/* The engine holds what it runs: a call that nobody waits for still goes out and ends. */
static void a_forgotten_call_goes_on(void) {
  scene s;
  scene_open(&s, SCENE_STEPS(ok), NULL);
  cai_call_release(scene_start(&s, CAI_POST));
  double end = scene_now() + 5;
  while (cai_engine_step(s.engine, 50) > 0 && scene_now() < end)
    continue;
  CHECK(cai_engine_in_flight(s.engine) == 0 && loopback_requests(s.server) == 1);
  CHECK(s.client->references == 1);
  CHECK(cai_engine_retain(s.engine) == s.engine);
  cai_engine_release(s.engine);
  CHECK(cai_engine_step(s.engine, 0) == 0);
  cai_engine_release(NULL);
  scene_close(&s);
}

int main(void) {
  before_a_byte_is_sent();
  while_the_answer_is_awaited_and_twice();
  while_it_backs_off();
  a_finished_one_stays_as_it_is();
  others_go_on();
  all_of_one_client();
  closing_ends_what_is_in_flight();
  owners_let_go_in_any_order();
  a_forgotten_call_goes_on();
  return check_end();
}
