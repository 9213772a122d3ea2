/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that libcurl does not end: because it reports an error of its own, because it has lost one after memory ran
 * out, or because their deadline comes first. */
#include "allocator.h"
#include "check.h"
#include "scene.h"

#include <sys/wait.h>
#include <unistd.h>

/* What libcurl does when it is handed an event: its work, nothing at all, or an error. */
static enum { WORKS = 0, FORGETS, FAILS } mode;
CURLMcode __real_curl_multi_socket_action(CURLM *multi, curl_socket_t descriptor, int events, int *running);
CURLMcode __wrap_curl_multi_socket_action(CURLM *multi, curl_socket_t descriptor, int events, int *running);

CURLMcode __wrap_curl_multi_socket_action(CURLM *multi, curl_socket_t descriptor, int events, int *running) {
  if (mode == FORGETS)
    return CURLM_OK;
  return mode == FAILS ? CURLM_OUT_OF_MEMORY : __real_curl_multi_socket_action(multi, descriptor, events, running);
}

static void hasty(cai_client_options *options) {
  options->timeout = 300; /* ms: long enough for an answer on a busy machine, as every lost call takes it */
  options->max_retries = 0;
}

/* Seconds until a call of some method ends, its last reference given to the caller. */
static double spend(scene *s, cai_method method, cai_call **call) {
  double before = scene_now();
  *call = scene_start(s, method);
  CHECK(scene_finish(s, *call, 5));
  return scene_now() - before;
}

static void a_call_that_libcurl_forgets_ends_all_the_same(void) {
  static const loopback_step script[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), hasty);
  for (cai_method method = CAI_GET; method <= CAI_DELETE; method++) {
    cai_call *call;
    mode = FORGETS;
    double seconds = spend(&s, method, &call);
    mode = WORKS;
    CHECK_CASE(seconds >= 0.1 && seconds < 3, "%g s", seconds);
    CHECK(call->kind == CAI_KIND_TIMEOUT && call->attempts == 1);
    cai_call_release(call);
    call = scene_run(&s, method);
    CHECK(call->kind == CAI_KIND_NONE);
    cai_call_release(call);
  }
  scene_close(&s);
}

static void an_error_of_libcurls_own_ends_the_calls_that_it_may_have_lost(void) {
  static const loopback_step script[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), hasty);
  for (cai_method method = CAI_GET; method <= CAI_DELETE; method++) {
    cai_call *call, *other = scene_start(&s, method);
    mode = FAILS;
    double seconds = spend(&s, method, &call);
    mode = WORKS;
    CHECK_CASE(seconds < 0.1, "%g s", seconds);
    CHECK(call->kind == CAI_KIND_NETWORK && strstr(call->message, "memory") != NULL);
    CHECK(call->outcome == (method == CAI_GET ? CAI_OUTCOME_NONE : CAI_OUTCOME_NOT_APPLIED)); /* nothing was sent */
    CHECK(other->state == CAI_CALL_FINISHED);
    cai_call_release(call);
    cai_call_release(other);
    call = scene_run(&s, method);
    CHECK_CASE(call->kind == CAI_KIND_NONE, "%s", call->message);
    cai_call_release(call);
  }
  scene_close(&s);
}

/* What had been sent when libcurl failed may have taken effect. */
static void an_error_after_a_request_leaves_it_unclear(void) {
  static const loopback_step script[] = {{.action = LOOPBACK_HANG}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  cai_call *call = scene_start(&s, CAI_POST);
  CHECK(scene_reach(&s, 1));
  mode = FAILS;
  CHECK(scene_finish(&s, call, 5));
  mode = WORKS;
  CHECK(call->kind == CAI_KIND_NETWORK && call->outcome == CAI_OUTCOME_UNKNOWN && call->attempts == 1);
  cai_call_release(call);
  scene_close(&s);
}

/* In a process of its own, without the server's threads: two calls by an engine whose n-th allocation, and each until
 * that is noticed, fails. Returns 0: none failed any more; 1: some did, and all went well; more: a mistake. */
static int run_out(const char *base, cai_method method, long n) {
  static const cai_segment segment = {"v1", 2};
  char message[CAI_MESSAGE_SIZE];
  cai_client_options options = scene_options(base);
  hasty(&options);
  scene s = {.client = cai_client_new(&options, message), .engine = cai_engine_new()};
  cai_call *call =
      cai_call_new(s.client, &(cai_call_options){.method = method, .segments = &segment, .segment_count = 1});
  double end = scene_now() + 4;
  allocator_fail_from(n);
  cai_engine_start(s.engine, call);
  while (call->state != CAI_CALL_FINISHED && scene_now() < end) {
    if (allocator_failed())
      allocator_fail_from(0);
    cai_engine_step(s.engine, 5);
  }
  bool failed = allocator_failed() || n == 0;
  allocator_fail_from(0);
  if (call->state != CAI_CALL_FINISHED)
    return 2;
  cai_call *next = scene_run(&s, method);
  return next->kind != CAI_KIND_NONE ? 3 : call->kind != CAI_KIND_NONE || failed ? 1 : 0;
}

static void a_failed_allocation_anywhere_loses_no_call(void) {
  static const loopback_step script[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};
  loopback *server = loopback_start(SCENE_STEPS(script));
  char base[64];
  snprintf(base, sizeof base, "http://127.0.0.1:%d", loopback_port(server));
  static const cai_method methods[] = {CAI_GET, CAI_PUT};
  for (int i = 0; i < 2; i++) {
    int result = 1;
    long n = 1;
    for (; result != 0 && n < 2000; n++) {
      fflush(NULL);
      pid_t child = fork();
      if (child == 0)
        _exit(run_out(base, methods[i], n));
      int status = -1;
      waitpid(child, &status, 0);
      result = WIFEXITED(status) ? WEXITSTATUS(status) : 99;
      CHECK_CASE(result <= 1, "%s, allocation %ld: %d", cai_method_name(methods[i]), n, result);
    }
    CHECK_CASE(result == 0 && n > 50, "%ld allocations", n);
  }
  loopback_stop(server);
}

int main(void) {
  CHECK(allocator_take_curl());
  a_call_that_libcurl_forgets_ends_all_the_same();
  an_error_of_libcurls_own_ends_the_calls_that_it_may_have_lost();
  an_error_after_a_request_leaves_it_unclear();
  a_failed_allocation_anywhere_loses_no_call();
  return check_end();
}
