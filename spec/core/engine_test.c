/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "scene.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* The engine on real sockets: answers, reuse, stepping, many at once. */

static const loopback_step ok[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};
static const loopback_step hang[] = {{.action = LOOPBACK_HANG}};

static void an_answer_arrives(void) {
  scene s;
  scene_open(&s, SCENE_STEPS(ok), NULL);
  for (cai_method method = CAI_GET; method <= CAI_DELETE; method++) {
    cai_call *call = scene_run(&s, method);
    CHECK(call->kind == CAI_KIND_NONE && call->outcome == CAI_OUTCOME_NONE && call->status == 200);
    CHECK(call->transfer.body.length == 16);
    CHECK(memcmp(cai_buffer_join(&call->transfer.body), "{\"success\":true}", 16) == 0);
    CHECK(call->attempts == 1 && call->records[0].status == 200 && call->records[0].bytes == 16);
    CHECK(call->records[0].wait < 0 && call->records[0].seconds > 0);
    cai_call_release(call);
  }
  CHECK(loopback_requests(s.server) == 4);
  scene_close(&s);
}

/* Reads share a connection; what changes something has its own, which is not kept. */
static void connections_are_shared_or_not(void) {
  scene s;
  scene_open(&s, SCENE_STEPS(ok), NULL);
  static const struct {
    cai_method method;
    int connections;
  } order[] = {{CAI_GET, 1},  {CAI_GET, 1},    {CAI_PUT, 2}, {CAI_POST, 3},
               {CAI_POST, 4}, {CAI_DELETE, 5}, {CAI_GET, 5}, {CAI_PUT, 6}};
  for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
    cai_call_release(scene_run(&s, order[i].method));
    CHECK_CASE(loopback_connections(s.server) == order[i].connections, "after call %zu: %d", i,
               loopback_connections(s.server));
  }
  scene_close(&s);
}

/* A read that asks for it has its own, too: libcurl would send it again when a reused one breaks. */
static void a_fresh_read_travels_alone(void) {
  static const loopback_step script[] = {{.bytes = SCENE_OK}, {.bytes = SCENE_OK}, {.action = LOOPBACK_SILENT}};
  static const cai_segment segment = {"v1", 2};
  cai_call_options options = {
      .method = CAI_GET, .segments = &segment, .segment_count = 1, .fresh = true, .no_retry = true};
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  cai_call_release(scene_run(&s, CAI_GET));
  for (int i = 2; i <= 3; i++) {
    cai_call *call = scene_start_with(&s, &options);
    CHECK(scene_finish(&s, call, 5));
    CHECK(loopback_requests(s.server) == i && loopback_connections(s.server) == i);
    CHECK(call->kind == (i == 2 ? CAI_KIND_NONE : CAI_KIND_NETWORK) && call->attempts == 1);
    cai_call_release(call);
  }
  scene_close(&s);
}

static void many_at_once_finish(void) {
  enum { CALLS = 200 };
  static cai_call *calls[CALLS];
  scene s;
  scene_open(&s, SCENE_STEPS(ok), NULL);
  for (int i = 0; i < CALLS; i++)
    calls[i] = scene_start(&s, (cai_method)(i % 4));
  CHECK(cai_engine_in_flight(s.engine) == CALLS);
  for (int i = 0; i < CALLS; i++) {
    CHECK(scene_finish(&s, calls[i], 10));
    CHECK(calls[i]->kind == CAI_KIND_NONE && calls[i]->status == 200 && calls[i]->attempts == 1);
    cai_call_release(calls[i]);
  }
  CHECK(cai_engine_in_flight(s.engine) == 0);
  CHECK(loopback_requests(s.server) == CALLS);
  scene_close(&s);
}

/* One that hangs must not hold up another, whatever the methods: libcurl with CURLOPT_PIPEWAIT lets a second transfer
 * wait until the first connection has shown whether it can be shared, which plain http shows with its first answer. */
static void none_waits_behind_another(void) {
  static const loopback_step script[] = {{.action = LOOPBACK_HANG}, {.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};
  for (cai_method first = CAI_GET; first <= CAI_DELETE; first++) {
    for (cai_method second = CAI_GET; second <= CAI_DELETE; second++) {
      scene s;
      scene_open(&s, SCENE_STEPS(script), NULL);
      cai_call *hanging = scene_start(&s, first);
      CHECK(scene_reach(&s, 1));
      cai_call *other = scene_start(&s, second);
      CHECK_CASE(scene_finish(&s, other, 0.5), "a %s waits behind a %s", cai_method_name(second),
                 cai_method_name(first));
      cai_call_release(hanging);
      cai_call_release(other);
      scene_close(&s);
    }
  }
}

static void step_zero_never_blocks(void) {
  scene s;
  scene_open(&s, SCENE_STEPS(hang), NULL);
  double start = scene_now(), worst = 0;
  CHECK(cai_engine_step(s.engine, 0) == 0);
  CHECK(cai_engine_step(s.engine, -1) == 0); /* nothing in flight: nothing to wait for */
  cai_call *call = scene_start(&s, CAI_GET);
  worst = scene_now() - start;
  while (scene_now() - start < 0.3) {
    double before = scene_now();
    CHECK(cai_engine_step(s.engine, 0) == 1);
    worst = worst > scene_now() - before ? worst : scene_now() - before;
    scene_sleep(2);
  }
  CHECK_CASE(worst < 0.05, "%g s", worst);
  CHECK(call->state == CAI_CALL_RUNNING && loopback_requests(s.server) == 1);
  cai_call_release(call);
  scene_close(&s);
}

/* Not even when sockets never cease to be ready: the bound of rounds lets the host go. */
static void step_zero_gets_away_from_a_flood(void) {
  static char filler[65536];
  memset(filler, 'x', sizeof filler - 1);
  loopback_step flood[] = {
      {.action = LOOPBACK_ENDLESS, .bytes = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", .filler = filler}};
  scene s;
  scene_open(&s, SCENE_STEPS(flood), NULL);
  cai_call *call = scene_start(&s, CAI_GET);
  int steps = 0;
  while (call->state != CAI_CALL_FINISHED && ++steps < 100000) {
    double before = scene_now();
    cai_engine_step(s.engine, 0);
    CHECK(scene_now() - before < 0.2);
  }
  CHECK(call->kind == CAI_KIND_PROTOCOL); /* over the cap of a mebibyte */
  cai_call_release(call);
  scene_close(&s);
}

static void step_returns_in_time(void) {
  scene s;
  scene_open(&s, SCENE_STEPS(hang), NULL);
  cai_call *call = scene_start(&s, CAI_GET);
  CHECK(scene_reach(&s, 1));
  double start = scene_now();
  CHECK(cai_engine_step(s.engine, 100) == 1);
  CHECK_CASE(scene_now() - start > 0.05 && scene_now() - start < 0.3, "%g s", scene_now() - start);
  cai_call_release(call);
  scene_close(&s);
}

/* step(-1) waits for what comes first, and does not spin while it waits. */
static void step_without_end_waits_for_the_answer(void) {
  static const loopback_step late[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK, .pause = 200}};
  scene s;
  scene_open(&s, SCENE_STEPS(late), NULL);
  cai_call *call = scene_start(&s, CAI_GET);
  double start = scene_now();
  int steps = 0;
  while (cai_engine_step(s.engine, -1) > 0)
    steps++;
  CHECK(call->state == CAI_CALL_FINISHED && call->status == 200);
  CHECK(scene_now() - start > 0.19 && scene_now() - start < 1);
  CHECK_CASE(steps < 40, "%d steps", steps);
  cai_call_release(call);
  scene_close(&s);
}

static void dripped_bytes_make_an_answer(void) {
  static const loopback_step drip[] = {{.action = LOOPBACK_DRIP, .bytes = SCENE_OK, .pause = 2}};
  scene s;
  scene_open(&s, SCENE_STEPS(drip), NULL);
  cai_call *call = scene_run(&s, CAI_POST);
  CHECK(call->kind == CAI_KIND_NONE && call->transfer.body.length == 16);
  cai_call_release(call);
  scene_close(&s);
}

static void interim_answers_are_passed_over(void) {
  static const loopback_step interim[] = {{.action = LOOPBACK_ANSWER,
                                           .bytes = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
                                                    "Retry-After: 7\r\n\r\n" SCENE_OK}};
  scene s;
  scene_open(&s, SCENE_STEPS(interim), NULL);
  cai_call *call = scene_run(&s, CAI_POST);
  CHECK(call->kind == CAI_KIND_NONE && call->status == 200 && call->retry_after == -1 && call->attempts == 1);
  CHECK(call->transfer.body.length == 16);
  cai_call_release(call);
  scene_close(&s);
}

/* Every connection's, while it idles in the pool; libcurl's own wake-up pair is no connection. */
static void sockets_close_on_exec(void) {
  scene s;
  scene_open(&s, SCENE_STEPS(ok), NULL);
  cai_call_release(scene_run(&s, CAI_GET));
  int sockets = 0;
  for (int descriptor = 3; descriptor < 256; descriptor++) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (getsockname(descriptor, (struct sockaddr *)&address, &size) != 0 || address.sin_family != AF_INET)
      continue;
    sockets++;
    CHECK_CASE((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0, "descriptor %d", descriptor);
  }
  CHECK(sockets == 3); /* the server's two and ours */
  scene_close(&s);
}

static void nothing_stays_open(void) {
  int before = scene_descriptors();
  for (int round = 0; round < 5; round++) {
    scene s;
    scene_open(&s, SCENE_STEPS(hang), NULL);
    cai_call *calls[4];
    for (int i = 0; i < 4; i++)
      calls[i] = scene_start(&s, i == 0 ? CAI_GET : CAI_POST);
    CHECK(scene_reach(&s, 4));
    for (int i = 0; i < 4; i++)
      cai_call_release(calls[i]);
    scene_close(&s);
  }
  CHECK_CASE(scene_descriptors() == before, "%d before, %d after", before, scene_descriptors());
}

int main(void) {
  an_answer_arrives();
  connections_are_shared_or_not();
  a_fresh_read_travels_alone();
  many_at_once_finish();
  none_waits_behind_another();
  step_zero_never_blocks();
  step_zero_gets_away_from_a_flood();
  step_returns_in_time();
  step_without_end_waits_for_the_answer();
  dripped_bytes_make_an_answer();
  interim_answers_are_passed_over();
  sockets_close_on_exec();
  nothing_stays_open();
  return check_end();
}
