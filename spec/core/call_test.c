/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/call.h"
#include "allocator.h"
#include "check.h"
#include "scene.h"

/* A call by itself, without an engine: its memory, its states, and what it makes of attempts that never ran. */

static const cai_segment keys[] = {{"v1", 2}, {"api keys", 8}};

static cai_client *new_client(int max_retries) {
  char message[CAI_MESSAGE_SIZE];
  cai_client_options options = scene_options("https://h.example/prefix");
  options.max_retries = max_retries;
  return cai_client_new(&options, message);
}

static cai_call *new_call(cai_client *client, cai_method method, const char *body, size_t length) {
  cai_call_options options = {
      .method = method, .segments = keys, .segment_count = 2, .body = body, .body_length = length};
  return cai_call_new(client, &options);
}

static void a_new_call_holds_copies(void) {
  cai_client *client = new_client(3);
  char body[] = "{\"name\":\"ci\"}";
  cai_call *call = new_call(client, CAI_POST, body, strlen(body));
  memset(body, '-', sizeof body - 1);
  cai_client_release(client); /* the call has a reference of its own */
  CHECK(call->state == CAI_CALL_NEW && call->attempts == 0);
  CHECK_TEXT(call->request.path, "/v1/api%20keys");
  CHECK_TEXT(call->request.url, "https://h.example/prefix/v1/api%20keys");
  CHECK_TEXT(call->request.body, "{\"name\":\"ci\"}");
  CHECK(call->retry_after == -1 && cai_transfer_date(&call->transfer) == -1 && call->status == 0);
  CHECK(cai_call_retain(call) == call);
  cai_call_release(call);
  CHECK(call->request.body_length == 13);
  cai_call_release(call);
  cai_call_release(NULL);
}

static void bodies_may_hold_anything(void) {
  cai_client *client = new_client(0);
  cai_call *call = new_call(client, CAI_PUT, "a\0b", 3);
  CHECK(call->request.body_length == 3 && memcmp(call->request.body, "a\0b", 4) == 0);
  cai_call_release(call);
  call = new_call(client, CAI_PUT, "", 0);
  CHECK(call->request.body != NULL && call->request.body_length == 0);
  cai_call_release(call);
  call = new_call(client, CAI_GET, NULL, 0);
  CHECK(call->request.body == NULL);
  cai_request_clear(&call->request);
  cai_request_clear(&call->request);
  CHECK(call->request.path == NULL && call->request.url == NULL);
  cai_call_release(call);
  cai_client_release(client);
}

static void changes_travel_alone(void) {
  static const bool alone[] = {[CAI_GET] = false, [CAI_POST] = true, [CAI_PUT] = true, [CAI_DELETE] = true};
  for (cai_method method = CAI_GET; method <= CAI_DELETE; method++) {
    cai_request request = {.method = method};
    CHECK(cai_request_is_exclusive(&request) == alone[method]);
    request.fresh = true;
    CHECK(cai_request_is_exclusive(&request));
  }
}

/* An attempt whose handle could not be made is unsent: even a create is tried again, and ends not_applied. */
static void attempts_that_never_ran_are_unsent(void) {
  cai_client *client = new_client(2);
  cai_call *call = new_call(client, CAI_POST, "{}", 2);
  for (int attempt = 1; attempt <= 3; attempt++) {
    call->state = CAI_CALL_RUNNING;
    call->attempts = attempt;
    call->started = attempt;
    cai_call_attempted(call, CURLE_OUT_OF_MEMORY, attempt + 0.25, 0.5);
    CHECK(call->state == (attempt < 3 ? CAI_CALL_BACKING_OFF : CAI_CALL_FINISHED));
    CHECK(call->records[attempt - 1].seconds == 0.25 && call->records[attempt - 1].status == 0);
    CHECK((call->records[attempt - 1].wait < 0) == (attempt == 3));
    if (attempt < 3)
      CHECK(call->due == attempt + 0.25 + call->records[attempt - 1].wait);
  }
  CHECK(call->kind == CAI_KIND_NETWORK && call->outcome == CAI_OUTCOME_NOT_APPLIED && !call->unclear);
  CHECK(call->message[0] != '\0');
  cai_call_release(call);
  cai_client_release(client);
}

static void one_without_retries_makes_one_attempt(void) {
  cai_client *client = new_client(3);
  cai_call_options options = {.method = CAI_GET, .segments = keys, .segment_count = 2, .no_retry = true};
  cai_call *call = cai_call_new(client, &options);
  call->state = CAI_CALL_RUNNING;
  call->attempts = 1;
  cai_call_attempted(call, CURLE_OUT_OF_MEMORY, 1, 0.5);
  CHECK(call->state == CAI_CALL_FINISHED && call->records[0].wait < 0);
  cai_call_release(call);
  cai_client_release(client);
}

/* A call with a credential of its own leaves nothing of it behind, and its client's alone. */
static void another_credential_goes_with_its_call(void) {
  static const char other[] = "confident_eu_proj_fedcba98-another-one";
  cai_client *client = new_client(0);
  cai_identity *own = client->identity;
  cai_call_options options = {.method = CAI_GET, .segments = keys, .segment_count = 2};
  options.credential = other;
  options.credential_length = sizeof other - 1;
  allocator_watch("another-one");
  cai_call *call = cai_call_new(client, &options);
  CHECK_TEXT(call->request.identity->secret->bytes, other);
  CHECK(client->identity == own && own->references == 1);
  cai_call_release(call);
  CHECK(allocator_seen() == 0);
  allocator_watch(NULL);
  call = new_call(client, CAI_GET, NULL, 0);
  CHECK(call->request.identity == own && own->references == 2);
  cai_call_release(call);
  CHECK(own->references == 1);
  cai_client_release(client);
}

/* A certificate that the folder does not vouch for: the attempt does not count, and is made again with the file. What
 * the file does not vouch for, either, is refused. */
static void a_refused_certificate_is_held_against_the_file_once(void) {
  cai_client *client = new_client(2);
  cai_trust widest = {.folder = "/folder"};
  bool wider = cai_trust_widen(&widest); /* as this libcurl is set up */
  for (cai_method method = CAI_GET; method <= CAI_POST; method++) {
    cai_call *call = new_call(client, method, NULL, 0), *late = new_call(client, method, NULL, 0);
    cai_call *both[] = {call, late}; /* under way at once: the first widens, the second must not end for that */
    client->trust = (cai_trust){.folder = "/folder"};
    for (int i = 0; i < 2; i++)
      CHECK(cai_call_attempt(both[i], NULL, 1) && both[i]->attempts == 1);
    for (int i = 0; i < 2 && wider; i++) {
      cai_call_attempted(both[i], CURLE_PEER_FAILED_VERIFICATION, 2, 0);
      CHECK(both[i]->state == CAI_CALL_BACKING_OFF && both[i]->due == 2 && both[i]->attempts == 0);
      CHECK(client->trust.folder == NULL && client->trust.file == widest.file);
      CHECK(cai_call_attempt(both[i], NULL, 3));
    }
    cai_call_attempted(call, CURLE_PEER_FAILED_VERIFICATION, 4, 0);
    CHECK(call->state == CAI_CALL_FINISHED && call->kind == CAI_KIND_TLS && call->attempts == 1);
    CHECK(call->outcome == (method == CAI_GET ? CAI_OUTCOME_NONE : CAI_OUTCOME_NOT_APPLIED));
    late->state = CAI_CALL_BACKING_OFF; /* cancelled between the two */
    late->attempts = 0;
    cai_call_abandon(late, CAI_KIND_CANCELLED, "because", 1);
    CHECK(late->kind == CAI_KIND_CANCELLED);
    cai_call_release(late);
    cai_call_release(call);
  }
  cai_client_release(client);
}

static void an_abandoned_one_is_cancelled(void) {
  cai_client *client = new_client(1);
  for (cai_method method = CAI_GET; method <= CAI_DELETE; method++) {
    for (int unclear = 0; unclear < 2; unclear++) {
      cai_call *call = new_call(client, method, NULL, 0);
      call->unclear = unclear;
      cai_buffer_append(&call->transfer.body, "{\"par", 5);
      cai_call_abandon(call, CAI_KIND_CANCELLED, "because", 1);
      CHECK(call->state == CAI_CALL_FINISHED && call->kind == CAI_KIND_CANCELLED && call->attempts == 0);
      CHECK_TEXT(call->message, "because");
      CHECK(call->transfer.body.length == 5); /* what came of an answer is kept */
      cai_outcome wanted = unclear ? CAI_OUTCOME_UNKNOWN : CAI_OUTCOME_NOT_APPLIED;
      CHECK(call->outcome == (method == CAI_GET ? CAI_OUTCOME_NONE : wanted));
      cai_call_release(call);
    }
  }
  cai_client_release(client);
}

static void a_body_is_wiped(void) {
  cai_client *client = new_client(0);
  static const char body[] = "{\"name\":\"a-name-to-be-found\"}";
  cai_call *call = new_call(client, CAI_POST, body, sizeof body - 1);
  static const char answer[] = "{\"value\":\"an-answer-to-be-found\"}";
  CHECK(cai_buffer_append(&call->transfer.body, answer, sizeof answer - 1) == CAI_BUFFER_OK);
  allocator_watch("to-be-found");
  cai_call_release(call);
  CHECK(allocator_seen() == 0);
  allocator_watch(NULL);
  cai_client_release(client);
}

static void without_memory_there_is_no_call(void) {
  cai_client *client = new_client(3);
  cai_call_options options = {
      .method = CAI_POST, .segments = keys, .segment_count = 2, .query = "a=b", .body = "{}", .body_length = 2};
  options.credential = SCENE_KEY;
  options.credential_length = strlen(SCENE_KEY);
  long tried = 0;
  for (bool done = false; !done;) {
    long before = allocator_alive();
    unsigned references = client->references;
    allocator_fail_from(++tried);
    cai_call *call = cai_call_new(client, &options);
    done = !allocator_failed();
    allocator_fail_from(0);
    CHECK_CASE((call != NULL) == done, "allocation %ld", tried);
    cai_call_release(call);
    CHECK_CASE(allocator_alive() == before && client->references == references, "allocation %ld", tried);
    CHECK_CASE(client->identity->references == 1, "allocation %ld", tried);
  }
  CHECK(tried > 5); /* the call, its path, its URL, its body, and its identity */
  allocator_fail_from(1);
  CHECK(cai_path_join(keys, 2) == NULL);
  allocator_fail_from(0);
  cai_client_release(client);
}

int main(void) {
  CHECK(allocator_take_curl());
  long before = allocator_alive();
  a_new_call_holds_copies();
  bodies_may_hold_anything();
  changes_travel_alone();
  attempts_that_never_ran_are_unsent();
  one_without_retries_makes_one_attempt();
  another_credential_goes_with_its_call();
  a_refused_certificate_is_held_against_the_file_once();
  an_abandoned_one_is_cancelled();
  a_body_is_wiped();
  without_memory_there_is_no_call();
  CHECK(allocator_alive() == before);
  return check_end();
}
