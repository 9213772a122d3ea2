/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "scene.h"

#include <curl/curl.h>

/* What the product is for: a create (or a delete) whose answer is lost is sent once and called unknown. */

static void expect_unknown_once(scene *s, cai_method method, const char *start) {
  int before = loopback_count(s->server, start);
  cai_call *call = scene_run(s, method);
  CHECK(call->kind == CAI_KIND_NETWORK && call->outcome == CAI_OUTCOME_UNKNOWN && call->attempts == 1);
  CHECK_CASE(loopback_count(s->server, start) == before + 1, "%d", loopback_count(s->server, start) - before);
  CHECK(call->message[0] != '\0' && call->status == 0);
  cai_call_release(call);
}

static void a_lost_create_is_sent_once(void) {
  static const loopback_action ways[] = {LOOPBACK_SILENT, LOOPBACK_RESET};
  for (int i = 0; i < 2; i++) {
    loopback_step script[] = {{.action = ways[i]}, {.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};
    scene s;
    scene_open(&s, SCENE_STEPS(script), NULL);
    expect_unknown_once(&s, CAI_POST, "POST ");
    CHECK(loopback_requests(s.server) == 1 && loopback_connections(s.server) == 1);
    scene_close(&s);
  }
}

/* The trap: a live connection idles in the pool, on which libcurl would send a second time by itself. */
static void a_lost_create_is_sent_once_after_a_read(void) {
  static const loopback_step script[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK},
                                         {.action = LOOPBACK_SILENT},
                                         {.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  cai_call_release(scene_run(&s, CAI_GET));
  expect_unknown_once(&s, CAI_POST, "POST ");
  CHECK(loopback_requests(s.server) == 2 && loopback_connections(s.server) == 2);
  cai_call_release(scene_run(&s, CAI_GET)); /* and the pool's own is still good */
  CHECK(loopback_connections(s.server) == 2);
  scene_close(&s);
}

static size_t swallow(char *bytes, size_t size, size_t count, void *user) {
  (void)bytes;
  (void)user;
  return size * count;
}

/* The control: the same server, plain libcurl. Were this to see one POST, the test above could not fail. */
static void plain_libcurl_sends_it_twice(void) {
  static const loopback_step script[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK},
                                         {.action = LOOPBACK_SILENT},
                                         {.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};
  loopback *server = loopback_start(SCENE_STEPS(script));
  char url[64];
  snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/keys", loopback_port(server));
  CURL *easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
  CHECK(curl_easy_perform(easy) == CURLE_OK);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "{\"name\":\"ci\"}");
  CHECK(curl_easy_perform(easy) == CURLE_OK); /* and calls it a success */
  CHECK(loopback_count(server, "POST ") == 2);
  curl_easy_cleanup(easy);
  loopback_stop(server);
}

/* A delete is tried again by us, who know that the first was unclear: the 404 of the second says that it is done. */
static void a_lost_delete_ends_done(void) {
  static const loopback_step script[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK},
                                         {.action = LOOPBACK_SILENT},
                                         {.action = LOOPBACK_ANSWER, .bytes = SCENE_STATUS("404 Not Found", "")}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  cai_call_release(scene_run(&s, CAI_GET));
  cai_call *call = scene_run(&s, CAI_DELETE);
  CHECK(call->kind == CAI_KIND_NONE && call->already_done && call->attempts == 2 && call->status == 404);
  CHECK(call->outcome == CAI_OUTCOME_NONE);
  CHECK(loopback_count(s.server, "DELETE ") == 2);
  cai_call_release(call);
  call = scene_run(&s, CAI_DELETE); /* without a doubt before it, a 404 is a 404 */
  CHECK(call->kind == CAI_KIND_API && !call->already_done && call->outcome == CAI_OUTCOME_NOT_APPLIED);
  cai_call_release(call);
  scene_close(&s);
}

/* An answer that breaks off, hangs, is no HTTP, or says no in a way that proves nothing. */
static void other_unclear_answers(void) {
  static const struct {
    loopback_step step;
    cai_kind kind;
  } cases[] = {
      {{.action = LOOPBACK_ANSWER_CLOSE, .bytes = "HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{"},
       CAI_KIND_NETWORK},
      {{.action = LOOPBACK_ANSWER_CLOSE, .bytes = "HTTP/1.1 201 Cre"}, CAI_KIND_NETWORK},
      {{.action = LOOPBACK_ANSWER, .bytes = SCENE_STATUS("500 Oops", "Retry-After: 0\r\n")}, CAI_KIND_API},
      {{.action = LOOPBACK_ANSWER, .bytes = SCENE_STATUS("502 Bad Gateway", "Retry-After: 0\r\n")}, CAI_KIND_API},
      {{.action = LOOPBACK_ANSWER, .bytes = SCENE_STATUS("408 Request Timeout", "Retry-After: 0\r\n")}, CAI_KIND_API},
      {{.action = LOOPBACK_ANSWER, .bytes = SCENE_STATUS("499 Client Closed Request", "Retry-After: 0\r\n")},
       CAI_KIND_API},
      {{.action = LOOPBACK_ANSWER,
        .bytes = "HTTP/1.1 429 Gateway\r\nRetry-After: 0\r\nContent-Length: 14\r\n\r\n{\"message\":\"\"}"},
       CAI_KIND_API},
      {{.action = LOOPBACK_ANSWER,
        .bytes = "HTTP/1.1 503 Proxy\r\nRetry-After: 0\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"},
       CAI_KIND_API},
      {{.action = LOOPBACK_ANSWER, .bytes = SCENE_STATUS("302 Found", "Location: /x\r\n")}, CAI_KIND_PROTOCOL},
      {{.action = LOOPBACK_ANSWER_CLOSE, .bytes = "garbage\r\n\r\n"}, CAI_KIND_PROTOCOL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    scene s;
    scene_open(&s, &cases[i].step, 1, NULL);
    cai_call *call = scene_run(&s, CAI_POST);
    CHECK_CASE(call->kind == cases[i].kind, "case %zu: %s", i, call->message);
    CHECK_CASE(call->outcome == CAI_OUTCOME_UNKNOWN && call->attempts == 1, "case %zu", i);
    CHECK_CASE(loopback_requests(s.server) == 1, "case %zu: %d", i, loopback_requests(s.server));
    cai_call_release(call);
    scene_close(&s);
  }
}

/* What proves that nothing was created: the service refuses in so many words. */
static void clear_refusals_are_tried_again(void) {
  static const loopback_step script[] = {
      {.action = LOOPBACK_ANSWER, .bytes = SCENE_STATUS("429 Slow Down", "Retry-After: 0\r\n")},
      {.action = LOOPBACK_ANSWER, .bytes = SCENE_STATUS("503 Maintenance", "Retry-After: 0\r\n")},
      {.action = LOOPBACK_ANSWER, .bytes = SCENE_OK},
      {.action = LOOPBACK_ANSWER, .bytes = SCENE_STATUS("409 Conflict", "")}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  cai_call *call = scene_run(&s, CAI_POST);
  CHECK(call->kind == CAI_KIND_NONE && call->attempts == 3 && loopback_count(s.server, "POST ") == 3);
  CHECK(call->records[0].status == 429 && call->records[1].status == 503 && call->records[2].status == 200);
  CHECK(call->transfer.body.length == 16); /* of the last answer only */
  cai_call_release(call);
  call = scene_run(&s, CAI_POST);
  CHECK(call->kind == CAI_KIND_API && call->outcome == CAI_OUTCOME_NOT_APPLIED && call->attempts == 1);
  cai_call_release(call);
  scene_close(&s);
}

/* An update on a reused connection: libcurl sends it again by itself, and is refused. Its result code says
 * COULDNT_CONNECT, the first may have been applied: unknown. */
static void a_refused_second_send_is_no_proof(void) {
  static const loopback_step script[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}, {.action = LOOPBACK_SLAM}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  s.client->max_retries = 0;
  cai_call_release(scene_run(&s, CAI_GET));
  cai_call *call = scene_run(&s, CAI_PUT);
  CHECK(call->kind == CAI_KIND_NETWORK && call->outcome == CAI_OUTCOME_UNKNOWN);
  CHECK(loopback_count(s.server, "PUT ") == 1);
  cai_call_release(call);
  scene_close(&s);
}

int main(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  a_lost_create_is_sent_once();
  a_lost_create_is_sent_once_after_a_read();
  plain_libcurl_sends_it_twice();
  a_lost_delete_ends_done();
  other_unclear_answers();
  clear_refusals_are_tried_again();
  a_refused_second_send_is_no_proof();
  return check_end();
}
