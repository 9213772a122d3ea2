/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "scene.h"

#include <stdlib.h>

/* Caps, redirects, and what must never go out. */

#define CAP 100000

static void small_cap(cai_client_options *options) {
  options->max_response_bytes = CAP;
}

static char *repeat(const char *head, char c, size_t count, const char *tail) {
  char *text = malloc(strlen(head) + count + strlen(tail) + 1);
  strcpy(text, head);
  memset(text + strlen(head), c, count);
  strcpy(text + strlen(head) + count, tail);
  return text;
}

/* One answer to a read and to a create; the create's outcome is unknown, and neither is tried again. */
static void expect_over_cap(const loopback_step *step, const char *words) {
  scene s;
  scene_open(&s, step, 1, small_cap);
  for (cai_method method = CAI_GET; method <= CAI_POST; method++) {
    cai_call *call = scene_run(&s, method);
    CHECK_CASE(call->kind == CAI_KIND_PROTOCOL && call->attempts == 1, "%d, %d attempts: %s", (int)call->kind,
               call->attempts, call->message);
    CHECK_CASE(strstr(call->message, words) != NULL, "%s", call->message);
    CHECK(call->outcome == (method == CAI_GET ? CAI_OUTCOME_NONE : CAI_OUTCOME_UNKNOWN));
    CHECK(call->transfer.body.length <= CAP);
    cai_call_release(call);
  }
  scene_close(&s);
}

static void an_announced_length_over_the_cap(void) {
  static const loopback_step announced = {.action = LOOPBACK_ANSWER,
                                          .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n"};
  static const loopback_step absurd = {.action = LOOPBACK_ANSWER,
                                       .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n"};
  expect_over_cap(&announced, "max_response_bytes");
  expect_over_cap(&absurd, "max_response_bytes");
}

static void an_endless_body(void) {
  char *chunk = repeat("4000\r\n", 'x', 0x4000, "\r\n"), *plain = repeat("", 'x', 0x4000, "");
  loopback_step chunked = {
      .action = LOOPBACK_ENDLESS, .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .filler = chunk};
  loopback_step until_close = {
      .action = LOOPBACK_ENDLESS, .bytes = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", .filler = plain};
  expect_over_cap(&chunked, "max_response_bytes");
  expect_over_cap(&until_close, "max_response_bytes");
  free(chunk);
  free(plain);
}

static void a_body_of_exactly_the_cap_is_taken(void) {
  char *text = repeat("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", 'x', CAP, "");
  loopback_step script[] = {{.action = LOOPBACK_ANSWER, .bytes = text}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), small_cap);
  cai_call *call = scene_run(&s, CAI_GET);
  CHECK(call->kind == CAI_KIND_NONE && call->transfer.body.length == CAP);
  cai_call_release(call);
  scene_close(&s);
  free(text);
}

static void endless_headers(void) {
  char *line = repeat("X-Filler: ", 'x', 1000, "\r\n"),
       *interim = repeat("HTTP/1.1 103 Early\r\nX: ", 'x', 1000, "\r\n\r\n");
  loopback_step headers = {.action = LOOPBACK_ENDLESS, .bytes = "HTTP/1.1 200 OK\r\n", .filler = line};
  loopback_step hints = {.action = LOOPBACK_ENDLESS, .bytes = "", .filler = interim};
  expect_over_cap(&headers, "headers");
  expect_over_cap(&hints, "headers");
  free(line);
  free(interim);
}

/* libcurl has a limit of its own for one line, below ours, which it calls out of memory. */
static void one_endless_header_line(void) {
  char *filler = repeat("", 'x', 4000, "");
  loopback_step line = {.action = LOOPBACK_ENDLESS, .bytes = "HTTP/1.1 200 OK\r\nX-Filler: ", .filler = filler};
  expect_over_cap(&line, "headers");
  free(filler);
}

static void redirects_are_never_followed(void) {
  static const char *const statuses[] = {"301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"};
  loopback_step other_script[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};
  loopback *other = loopback_start(SCENE_STEPS(other_script));
  for (size_t i = 0; i < 5; i++) {
    char answer[256];
    snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n",
             statuses[i], loopback_port(other));
    loopback_step script[] = {{.action = LOOPBACK_ANSWER, .bytes = answer}};
    scene s;
    scene_open(&s, SCENE_STEPS(script), NULL);
    for (cai_method method = CAI_GET; method <= CAI_DELETE; method++) {
      cai_call *call = scene_run(&s, method);
      CHECK(call->kind == CAI_KIND_PROTOCOL && call->attempts == 1 && call->status == 300 + atol(statuses[i]) % 100);
      CHECK(strstr(call->message, "redirect") != NULL);
      CHECK(call->outcome == (method == CAI_GET ? CAI_OUTCOME_NONE : CAI_OUTCOME_UNKNOWN));
      cai_call_release(call);
    }
    scene_close(&s);
  }
  CHECK(loopback_connections(other) == 0);
  loopback_stop(other);
}

static int occurrences(const char *text, const char *needle) {
  int count = 0;
  for (; (text = strstr(text, needle)) != NULL; text += strlen(needle))
    count++;
  return count;
}

/* The key goes out once in each request, at every attempt, and so does nothing that libcurl would add. */
static void every_attempt_is_the_same_request(void) {
  static const loopback_step script[] = {
      {.action = LOOPBACK_ANSWER, .bytes = SCENE_STATUS("429 Slow Down", "Retry-After: 0\r\nSet-Cookie: a=b\r\n")}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  for (cai_method method = CAI_GET; method <= CAI_DELETE; method++)
    cai_call_release(scene_run(&s, method));
  CHECK(loopback_requests(s.server) == 16);
  for (int i = 0; i < loopback_requests(s.server); i++) {
    const char *raw = loopback_request(s.server, i);
    CHECK(occurrences(raw, "CONFIDENT_API_KEY: " SCENE_KEY "\r\n") == 1 && occurrences(raw, SCENE_KEY) == 1);
    CHECK(occurrences(raw, "Expect") == 0 && occurrences(raw, "Cookie") == 0);
    CHECK_TEXT(raw, loopback_request(s.server, i / 4 * 4));
  }
  scene_close(&s);
}

/* The environment's proxy would be handed the credential in the clear. */
static void loopback_never_goes_through_a_proxy(void) {
  static const char *const variables[] = {"http_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "https_proxy"};
  loopback_step script[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};
  loopback *trap = loopback_start(SCENE_STEPS(script));
  char proxy[64];
  snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", loopback_port(trap));
  for (size_t i = 0; i < 5; i++)
    setenv(variables[i], proxy, 1);
  unsetenv("no_proxy");
  unsetenv("NO_PROXY");
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  for (cai_method method = CAI_GET; method <= CAI_DELETE; method++)
    cai_call_release(scene_run(&s, method));
  CHECK(loopback_requests(s.server) == 4 && loopback_connections(trap) == 0);
  scene_close(&s);
  for (size_t i = 0; i < 5; i++)
    unsetenv(variables[i]);
  loopback_stop(trap);
}

/* The trap can be walked into: plain http elsewhere, allowed, does go through the environment's proxy. */
static void elsewhere_the_proxy_is_used(void) {
  loopback_step script[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};
  loopback *trap = loopback_start(SCENE_STEPS(script));
  char proxy[64], message[CAI_MESSAGE_SIZE];
  snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", loopback_port(trap));
  setenv("http_proxy", proxy, 1);
  cai_client_options options = scene_options("http://h.example");
  options.allow_plain_http = true;
  scene s = {.client = cai_client_new(&options, message), .engine = cai_engine_new()};
  cai_call_release(scene_run(&s, CAI_GET));
  CHECK(loopback_count(trap, "GET http://h.example/v1/keys ") == 1);
  scene_close(&s);
  unsetenv("http_proxy");
  loopback_stop(trap);
}

int main(void) {
  an_announced_length_over_the_cap();
  an_endless_body();
  a_body_of_exactly_the_cap_is_taken();
  endless_headers();
  one_endless_header_line();
  redirects_are_never_followed();
  every_attempt_is_the_same_request();
  loopback_never_goes_through_a_proxy();
  elsewhere_the_proxy_is_used();
  return check_end();
}
