/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/request.h"
#include "../../src/core/version.h"
#include "check.h"
#include "scene.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <strings.h>

/* What goes over the wire, by a plain easy handle set up by cai_request_apply. */

typedef struct {
  loopback *server;
  cai_client *client;
  char base[80];
} wire;

static const loopback_step script[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};

static void open_wire(wire *w) {
  char message[CAI_MESSAGE_SIZE];
  w->server = loopback_start(SCENE_STEPS(script));
  snprintf(w->base, sizeof w->base, "http://127.0.0.1:%d/some/prefix/", loopback_port(w->server));
  cai_client_options options = scene_options(w->base);
  w->client = cai_client_new(&options, message);
}

static void close_wire(wire *w) {
  cai_client_release(w->client);
  loopback_stop(w->server);
}

static size_t swallow(char *bytes, size_t size, size_t count, void *user) {
  (void)bytes;
  (void)user;
  return size * count;
}

/* Sends it and gives the raw text as the server got it. */
static const char *send_with(wire *w, cai_call_options *options) {
  static const cai_segment segments[] = {{"v1", 2}, {"../x", 4}, {"7", 1}};
  options->segments = segments;
  options->segment_count = 3;
  cai_request request;
  CHECK(cai_request_init(&request, w->client, options));
  CURL *easy = curl_easy_init();
  CHECK(cai_request_apply(&request, w->client, easy));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
  CHECK(curl_easy_perform(easy) == CURLE_OK);
  curl_easy_cleanup(easy);
  cai_request_clear(&request);
  return loopback_request(w->server, loopback_requests(w->server) - 1);
}

static const char *send_request(wire *w, cai_method method, const char *body, size_t length) {
  cai_call_options options = {.method = method, .body = body, .body_length = length};
  return send_with(w, &options);
}

/* How often a header of that name came, whatever its case; its last value goes to `value`. */
static int header_count(const char *raw, const char *name, char value[256]) {
  int count = 0;
  size_t length = strlen(name);
  for (const char *line = strstr(raw, "\r\n"); line != NULL && strncmp(line, "\r\n\r\n", 4) != 0;
       line = strstr(line + 2, "\r\n")) {
    if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':') {
      count++;
      snprintf(value, 256, "%.*s", (int)strcspn(line + 2 + length + 1, "\r"), line + 2 + length + 1);
    }
  }
  return count;
}

static void check_header(const char *raw, const char *name, const char *wanted) {
  char value[256] = "";
  int count = header_count(raw, name, value);
  CHECK_CASE(count == (wanted == NULL ? 0 : 1), "%s came %d times", name, count);
  if (wanted != NULL)
    CHECK_TEXT(value + strspn(value, " "), wanted);
}

static void check_common_of(const char *raw, const char *key) {
  check_header(raw, "CONFIDENT_API_KEY", key);
  check_header(raw, "X-Confident-SDK-Version", "confidentai-lua/" CAI_VERSION);
  check_header(raw, "Accept", "application/json");
  check_header(raw, "User-Agent", "confidentai-lua/" CAI_VERSION);
  check_header(raw, "Expect", NULL);
  check_header(raw, "Cookie", NULL);
  check_header(raw, "Authorization", NULL);
  check_header(raw, "Upgrade", NULL);
  check_header(raw, "Transfer-Encoding", NULL);
}

static void check_common(const char *raw) {
  check_common_of(raw, SCENE_KEY);
}

static void reads_and_deletes_have_no_body(void) {
  wire w;
  open_wire(&w);
  const char *get = send_request(&w, CAI_GET, NULL, 0);
  CHECK_CASE(strncmp(get, "GET /some/prefix/v1/..%2Fx/7 HTTP/1.1\r\n", 39) == 0, "%s", get);
  check_common(get);
  check_header(get, "Content-Type", NULL);
  check_header(get, "Content-Length", NULL);
  const char *delete = send_request(&w, CAI_DELETE, NULL, 0);
  CHECK_CASE(strncmp(delete, "DELETE /some/prefix/v1/..%2Fx/7 HTTP/1.1\r\n", 42) == 0, "%s", delete);
  check_common(delete);
  check_header(delete, "Content-Length", NULL);
  close_wire(&w);
}

static void creates_and_updates_send_json(void) {
  static const cai_method methods[] = {CAI_POST, CAI_PUT};
  wire w;
  open_wire(&w);
  for (int i = 0; i < 2; i++) {
    const char *raw = send_request(&w, methods[i], "{\"name\":\"\xc3\xa9\"}", 13);
    CHECK(strncmp(raw, cai_method_name(methods[i]), strlen(cai_method_name(methods[i]))) == 0);
    check_common(raw);
    check_header(raw, "Content-Type", "application/json");
    check_header(raw, "Content-Length", "13");
    const char *body = strstr(raw, "\r\n\r\n") + 4;
    CHECK_TEXT(body, "{\"name\":\"\xc3\xa9\"}");
  }
  close_wire(&w);
}

/* Past 1 MiB libcurl would add Expect by itself, and send again when a server refuses it. */
static void long_bodies_do_not_expect(void) {
  enum { LENGTH = 3 << 20 };
  wire w;
  open_wire(&w);
  char *body = malloc(LENGTH);
  memset(body, 'x', LENGTH);
  const char *raw = send_request(&w, CAI_POST, body, LENGTH);
  check_common(raw);
  check_header(raw, "Content-Length", "3145728");
  CHECK(strlen(strstr(raw, "\r\n\r\n") + 4) == LENGTH);
  raw = send_request(&w, CAI_PUT, "", 0);
  check_common(raw);
  check_header(raw, "Content-Length", "0");
  free(body);
  close_wire(&w);
}

static void another_credential_takes_the_place_of_the_clients(void) {
  static const cai_method methods[] = {CAI_GET, CAI_PUT};
  static const char other[] = "confident_us_proj_fedcba9876543210";
  wire w;
  open_wire(&w);
  for (int i = 0; i < 2; i++) {
    cai_call_options options = {.method = methods[i], .credential = other, .credential_length = sizeof other - 1};
    options.body = methods[i] == CAI_PUT ? "{}" : NULL;
    options.body_length = methods[i] == CAI_PUT ? 2 : 0;
    const char *raw = send_with(&w, &options);
    check_common_of(raw, other);
    CHECK(strstr(raw, SCENE_KEY) == NULL);
    check_header(raw, "Content-Type", methods[i] == CAI_PUT ? "application/json" : NULL);
  }
  close_wire(&w);
}

static void a_query_follows_the_path(void) {
  wire w;
  open_wire(&w);
  cai_call_options options = {.method = CAI_GET, .query = "page=1&pageSize=%31"};
  const char *raw = send_with(&w, &options);
  CHECK_CASE(strncmp(raw, "GET /some/prefix/v1/..%2Fx/7?page=1&pageSize=%31 HTTP/1.1\r\n", 59) == 0, "%s", raw);
  check_common(raw);
  close_wire(&w);
}

int main(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  reads_and_deletes_have_no_body();
  creates_and_updates_send_json();
  long_bodies_do_not_expect();
  another_credential_takes_the_place_of_the_clients();
  a_query_follows_the_path();
  return check_end();
}
