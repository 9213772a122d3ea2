/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/transfer.h"
#include "check.h"
#include "scene.h"

/* What a transfer says of an answer and of a failure, by a plain easy handle. */

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define JSON "Content-Type: application/json\r\n"
#define AFTER(date) "Retry-After: " date "\r\n"
#define BODY "Content-Length: 17\r\n\r\n{\"success\":false}"
#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n11\r\n{\"success\":false}\r\n"
#define DOWN "HTTP/1.1 503 Down\r\n"

static const struct {
  const char *bytes;
  cai_kind failure;
  long status;
  double retry_after;
  cai_envelope envelope;
} answers[] = {
    {DOWN JSON AFTER("7") BODY, CAI_KIND_NONE, 503, 7, CAI_ENVELOPE_FAILURE},
    {DOWN JSON BODY, CAI_KIND_NONE, 503, -1, CAI_ENVELOPE_FAILURE},
    {DOWN AFTER("7") BODY, CAI_KIND_NONE, 503, 7, CAI_ENVELOPE_FAILURE},
    {DOWN "content-type: Application/JSON; charset=utf-8\r\nretry-after:7\r\n" BODY, CAI_KIND_NONE, 503, 7,
     CAI_ENVELOPE_FAILURE},
    {DOWN "Content-Type: text/html\r\n" AFTER("7") BODY, CAI_KIND_NONE, 503, 7, CAI_ENVELOPE_FAILURE},
    {DOWN JSON "Content-Length: 6\r\n\r\n <htm>", CAI_KIND_NONE, 503, -1, CAI_ENVELOPE_NONE},
    {DOWN JSON "Content-Length: 0\r\n\r\n", CAI_KIND_NONE, 503, -1, CAI_ENVELOPE_NONE},
    {DOWN JSON "Content-Length: 1\r\n\r\n{", CAI_KIND_NONE, 503, -1, CAI_ENVELOPE_NONE},
    {DOWN JSON "Content-Length: 22\r\n\r\n \r\n{\t\"success\":true}\r\n", CAI_KIND_NONE, 503, -1, CAI_ENVELOPE_SUCCESS},
    {DOWN JSON "Content-Length: 2\r\n\r\n[]", CAI_KIND_NONE, 503, -1, CAI_ENVELOPE_NONE},
    /* A date counts on the service's clock, its own or an older one as in the examples of RFC 9110. */
    {DOWN JSON DATE AFTER("Sun, 06 Nov 1994 08:50:07 GMT") BODY, CAI_KIND_NONE, 503, 30, CAI_ENVELOPE_FAILURE},
    {DOWN JSON AFTER("Sun, 06 Nov 1994 08:50:07 GMT") DATE BODY, CAI_KIND_NONE, 503, 30, CAI_ENVELOPE_FAILURE},
    {DOWN JSON AFTER("Sun, 06 Nov 1994 08:50:07 GMT") BODY, CAI_KIND_NONE, 503, 0, CAI_ENVELOPE_FAILURE},
    {DOWN JSON AFTER("7 \t") BODY, CAI_KIND_NONE, 503, 7, CAI_ENVELOPE_FAILURE},
    {DOWN JSON AFTER("soon") BODY, CAI_KIND_NONE, 503, 8, CAI_ENVELOPE_FAILURE},
    {DOWN AFTER("") BODY, CAI_KIND_NONE, 503, 8, CAI_ENVELOPE_FAILURE},
    {DOWN AFTER("00000000000000000000000000000000000000000000000000000000000000001") BODY, CAI_KIND_NONE, 503, 8,
     CAI_ENVELOPE_FAILURE},
    {DOWN AFTER("6.5") BODY, CAI_KIND_NONE, 503, 7, CAI_ENVELOPE_FAILURE},
    {DOWN JSON "X-Retry-After: 7\r\nRetry-After-Not: 7\r\n" BODY, CAI_KIND_NONE, 503, -1, CAI_ENVELOPE_FAILURE},
    /* The last of several counted: a service that asked for five minutes was asked again after a second. */
    {DOWN AFTER("300") AFTER("1") BODY, CAI_KIND_NONE, 503, 300, CAI_ENVELOPE_FAILURE},
    {DOWN AFTER("1") "X: y\r\n" AFTER("300") BODY, CAI_KIND_NONE, 503, 300, CAI_ENVELOPE_FAILURE},
    {DOWN AFTER("soon") AFTER("1") AFTER("2") AFTER("3") AFTER("4") BODY, CAI_KIND_NONE, 503, 8, CAI_ENVELOPE_FAILURE},
    {DOWN AFTER("0") DATE AFTER("Sun, 06 Nov 1994 08:50:07 GMT") BODY, CAI_KIND_NONE, 503, 30, CAI_ENVELOPE_FAILURE},
    /* Trailers changed the pause, and a length in them threw the answer away. */
    {DOWN AFTER("7") CHUNKED "0\r\n" AFTER("300") "Content-Length: 99999999999\r\n\r\n", CAI_KIND_NONE, 503, 7,
     CAI_ENVELOPE_FAILURE},
    {"HTTP/1.1 200 OK\r\n" CHUNKED "0\r\nContent-Length: 99999999999\r\n" DATE "\r\n", CAI_KIND_NONE, 200, -1,
     CAI_ENVELOPE_FAILURE},
    /* Interim answers say nothing of the final one. */
    {"HTTP/1.1 103 Early Hints\r\n" JSON AFTER("7") "\r\n" DOWN BODY, CAI_KIND_NONE, 503, -1, CAI_ENVELOPE_FAILURE},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n" JSON BODY, CAI_KIND_NONE, 200,
     -1, CAI_ENVELOPE_FAILURE},
    {"HTTP/1.1 404 Not Found\r\n" JSON BODY, CAI_KIND_NONE, 404, -1, CAI_ENVELOPE_FAILURE},
    {"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", CAI_KIND_NONE, 301, -1,
     CAI_ENVELOPE_NONE},
    {"HTTP/1.1 204 No Content\r\n\r\n", CAI_KIND_NONE, 204, -1, CAI_ENVELOPE_NONE},
    /* No answer, or a part of one. */
    {"", CAI_KIND_NETWORK, 0, -1, CAI_ENVELOPE_NONE},
    {"HTTP/1.1 200", CAI_KIND_NETWORK, 0, -1, CAI_ENVELOPE_NONE},
    {DOWN JSON AFTER("7") "Content-Length: 20\r\n\r\n{}", CAI_KIND_NETWORK, 503, 7, CAI_ENVELOPE_NONE},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", CAI_KIND_NETWORK, 200, -1, CAI_ENVELOPE_NONE},
    {"ICY 200 OK\r\n\r\nmusic", CAI_KIND_PROTOCOL, 0, -1, CAI_ENVELOPE_NONE},
    {"SSH-2.0-OpenSSH_9.2\r\n", CAI_KIND_PROTOCOL, 0, -1, CAI_ENVELOPE_NONE},
#if LIBCURL_VERSION_NUM >= 0x075800 /* 7.74 passes such a line over */
    {"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", CAI_KIND_PROTOCOL, 200, -1, CAI_ENVELOPE_NONE},
#endif
    /* Found by fuzzing: libcurl calls it a bad argument of its caller. */
    {"HTTP/1.1 200 OK\r\nContent\rType: application/json\r\n" BODY, CAI_KIND_PROTOCOL, 200, -1, CAI_ENVELOPE_NONE},
    {"HTTP/1.1 200 OK\r\n folded without a line above\r\n" BODY, CAI_KIND_PROTOCOL, 200, -1, CAI_ENVELOPE_NONE},
    /* Found by fuzzing: statuses that libcurl reads into lines that have none. */
    {"HTTP/20401]\r\n" BODY, CAI_KIND_PROTOCOL, 0, -1, CAI_ENVELOPE_NONE},
    {"HTTP/2 0401\r\n" BODY, CAI_KIND_PROTOCOL, 0, -1, CAI_ENVELOPE_NONE},
    {"HTTP/1.1  \v404 Not Found\r\n" BODY, CAI_KIND_PROTOCOL, 0, -1, CAI_ENVELOPE_NONE},
    {"HTTP/1.1 2000 OK\r\n" JSON BODY, CAI_KIND_PROTOCOL, 0, -1, CAI_ENVELOPE_NONE},
    {"HTtP/\r\n" JSON BODY, CAI_KIND_PROTOCOL, 0, -1, CAI_ENVELOPE_NONE},
    {"HTTP/x.1 OK\r\n" JSON BODY, CAI_KIND_PROTOCOL, 0, -1, CAI_ENVELOPE_NONE},
    /* Without words, and without carriage returns, they are what they say. */
    {"HTTP/1.0 404\nContent-Length: 0\n\n", CAI_KIND_NONE, 404, -1, CAI_ENVELOPE_NONE},
    {"HTTP/1.1 200 \r\n" JSON BODY, CAI_KIND_NONE, 200, -1, CAI_ENVELOPE_FAILURE},
};

static const cai_segment segment = {"v1", 2};

/* One request to `base`, and what it came to. */
static cai_attempt run(const char *base, cai_transfer *transfer) {
  char message[CAI_MESSAGE_SIZE];
  cai_client_options options = scene_options(base);
  cai_client *client = cai_client_new(&options, message);
  cai_request request;
  cai_sockets sockets = {NULL, 0, 0};
  *transfer = (cai_transfer){.easy = NULL};
  cai_call_options asked = {
      .method = CAI_POST, .segments = &segment, .segment_count = 1, .body = "{}", .body_length = 2};
  CHECK(cai_request_init(&request, client, &asked));
  CHECK(cai_transfer_begin(transfer, &request, client, &sockets, NULL));
  CURLcode code = curl_easy_perform(transfer->easy);
  cai_attempt attempt = cai_transfer_facts(transfer, code);
  cai_transfer_end(transfer);
  cai_transfer_end(transfer);
  CHECK(sockets.count == 0); /* the connection was of its own, and is gone */
  cai_sockets_close_all(&sockets);
  cai_request_clear(&request);
  cai_client_release(client);
  return attempt;
}

static void answers_are_read(void) {
  for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
    loopback_step script[] = {{.action = LOOPBACK_ANSWER_CLOSE, .bytes = answers[i].bytes}};
    loopback *server = loopback_start(SCENE_STEPS(script));
    char base[64];
    snprintf(base, sizeof base, "http://127.0.0.1:%d", loopback_port(server));
    cai_transfer transfer;
    cai_attempt got = run(base, &transfer);
    CHECK_CASE(got.failure == answers[i].failure, "answer %zu: %d, %s", i, (int)got.failure, transfer.error);
    CHECK_CASE(answers[i].status == 0 || got.status == answers[i].status, "answer %zu: %ld", i, got.status);
    CHECK_CASE(got.retry_after == answers[i].retry_after, "answer %zu: %g", i, got.retry_after);
    CHECK_CASE(got.envelope == answers[i].envelope, "answer %zu", i);
    CHECK_CASE(!got.unsent, "answer %zu", i);
    CHECK_CASE(loopback_requests(server) == 1, "answer %zu: %d requests", i, loopback_requests(server));
    cai_transfer_clear(&transfer);
    cai_transfer_clear(&transfer);
    loopback_stop(server);
  }
}

static void what_never_left_is_unsent(void) {
  char base[64];
  cai_transfer transfer;
  snprintf(base, sizeof base, "http://127.0.0.1:%d", scene_dead_port());
  cai_attempt got = run(base, &transfer);
  CHECK(got.failure == CAI_KIND_NETWORK && got.unsent && got.status == 0 && got.retry_after == -1);
  CHECK(transfer.error[0] != '\0');
  cai_transfer_clear(&transfer);
}

static void the_date_is_the_answers(void) {
  loopback_step script[] = {{.action = LOOPBACK_ANSWER_CLOSE, .bytes = "HTTP/1.1 200 OK\r\n" DATE BODY}};
  loopback *server = loopback_start(SCENE_STEPS(script));
  char base[64];
  snprintf(base, sizeof base, "http://127.0.0.1:%d", loopback_port(server));
  cai_transfer transfer;
  run(base, &transfer);
  CHECK(cai_transfer_date(&transfer) == 784111777);
  CHECK(transfer.body.length == 17 && memcmp(cai_buffer_join(&transfer.body), "{\"success\":false}", 17) == 0);
  cai_transfer_clear(&transfer);
  CHECK(cai_transfer_date(&transfer) == -1 && transfer.body.length == 0);
  loopback_stop(server);
}

int main(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  answers_are_read();
  what_never_left_is_unsent();
  the_date_is_the_answers();
  return check_end();
}
