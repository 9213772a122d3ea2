/* SPDX-License-Identifier: Apache-2.0 */
#include "allocator.h"
#include "check.h"
#include "scene.h"

#include <curl/curl.h>
#include <sys/wait.h>
#include <unistd.h>

/* An engine without memory. The handles that libcurl does not give are refused by --wrap=curl_easy_init. */

CURL *__real_curl_easy_init(void);
CURL *__wrap_curl_easy_init(void);

static int refusals; /* how many more handles are refused */

CURL *__wrap_curl_easy_init(void) {
  if (refusals == 0)
    return __real_curl_easy_init();
  refusals--;
  return NULL;
}

static void without_memory_there_is_no_engine(void) {
  cai_engine_release(cai_engine_new()); /* libcurl keeps some of its first */
  long tried = 0;
  int descriptors = scene_descriptors();
  for (bool done = false; !done;) {
    long before = allocator_alive();
    allocator_fail_from(++tried);
    cai_engine *engine = cai_engine_new();
    done = !allocator_failed();
    allocator_fail_from(0);
    CHECK_CASE((engine != NULL) == done, "allocation %ld", tried);
    cai_engine_release(engine);
    CHECK_CASE(allocator_alive() == before, "allocation %ld", tried);
  }
  CHECK(tried == 2); /* libcurl's handles come with the first calls */
  CHECK(scene_descriptors() == descriptors);
}

/* The first call on each way makes the handle that carries it: without memory for it the call ends, and the engine goes
 * on. */
static void without_memory_for_a_handle_a_call_ends(void) {
  static const cai_method methods[] = {CAI_GET, CAI_PUT};
  cai_client_options options = scene_options("http://127.0.0.1:1");
  options.max_retries = 0;
  char message[CAI_MESSAGE_SIZE];
  cai_client *client = cai_client_new(&options, message);
  for (int i = 0; i < 2; i++) {
    long tried = 0, before = allocator_alive();
    for (bool done = false; !done;) {
      scene s = {.client = client, .engine = cai_engine_new()};
      static const cai_segment segment = {"v1", 2};
      cai_call *call =
          cai_call_new(client, &(cai_call_options){.method = methods[i], .segments = &segment, .segment_count = 1});
      allocator_fail_from(++tried);
      cai_engine_start(s.engine, call);
      done = !allocator_failed();
      allocator_fail_from(0);
      CHECK_CASE(scene_finish(&s, call, 5) && call->kind == CAI_KIND_NETWORK, "allocation %ld", tried);
      cai_call *next = scene_run(&s, methods[i]);
      CHECK_CASE(next->kind == CAI_KIND_NETWORK && next->attempts == 1, "allocation %ld", tried);
      cai_call_release(next);
      cai_call_release(call);
      cai_engine_release(s.engine);
    }
    CHECK(tried > 10);
    CHECK_CASE(allocator_alive() == before, "%ld more", allocator_alive() - before);
  }
  cai_client_release(client);
}

/* How many attempts a call makes of which the first `refused` get no handle; -1: it never ends. In a process of its
 * own, as the failure that is looked for is a step that never returns. */
static int attempts_of(int refused, int max_retries) {
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    alarm(4);
    cai_client_options options = scene_options("http://127.0.0.1:1");
    options.max_retries = max_retries;
    char message[CAI_MESSAGE_SIZE];
    cai_client *client = cai_client_new(&options, message);
    cai_engine *engine = cai_engine_new();
    scene s = {.client = client, .engine = engine};
    refusals = refused;
    cai_call *call = scene_start(&s, CAI_GET);
    while (cai_engine_step(engine, -1) > 0)
      continue;
    _exit(call->state == CAI_CALL_FINISHED && call->kind == CAI_KIND_NETWORK ? call->attempts : 99);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_first_attempt_gets_no_handle(void) {
  CHECK(attempts_of(1, 0) == 1);
  CHECK(attempts_of(1, 1) == 2);
}

/* An attempt that fails within a step, to finish or to back off again: step(-1) must not wait for a socket then. */
static void a_later_attempt_gets_no_handle(void) {
  CHECK(attempts_of(2, 1) == 2);
  CHECK(attempts_of(2, 2) == 3);
}

int main(void) {
  CHECK(allocator_take_curl());
  without_memory_there_is_no_engine();
  without_memory_for_a_handle_a_call_ends();
  the_first_attempt_gets_no_handle();
  a_later_attempt_gets_no_handle();
  return check_end();
}
