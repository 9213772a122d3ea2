/* SPDX-License-Identifier: Apache-2.0 */
/* A proxy that passes nothing on. Proxies lock an account after a few refused passwords: a refusal is taken at its
 * word. */
#include "check.h"
#include "scene.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* Runs one call through a proxy at `port`. */
static cai_call *run(const char *scheme, int port, cai_method method) {
  char proxy[64], message[CAI_MESSAGE_SIZE];
  snprintf(proxy, sizeof proxy, "%s://user:hunter2@127.0.0.1:%d", scheme, port);
  cai_client_options options = scene_options("https://service.example");
  options.proxy = proxy;
  options.max_retries = 1;
  scene s = {.client = cai_client_new(&options, message), .engine = cai_engine_new()};
  cai_call *call = scene_run(&s, method);
  scene_close(&s);
  return call;
}

static void check_refused(const cai_call *call, const char *words, const char *what) {
  CHECK_CASE(call->kind == CAI_KIND_NETWORK && call->attempts == 1, "%s: %d, %d attempts", what, (int)call->kind,
             call->attempts);
  CHECK_CASE(call->outcome == (call->request.method == CAI_GET ? CAI_OUTCOME_NONE : CAI_OUTCOME_NOT_APPLIED), "%s",
             what);
  CHECK_CASE(strstr(call->message, words) != NULL, "%s: %s", what, call->message);
  CHECK_CASE(strstr(call->message, "hunter2") == NULL, "%s: %s", what, call->message);
}

static void a_refusal_to_connect_is_taken_at_its_word(void) {
  static const struct {
    const char *status, *words;
  } refusals[] = {{"407 Proxy Authentication Required", "the proxy wants a password"},
                  {"403 Forbidden", "the proxy refuses to connect"},
                  {"400 Bad Request", "the proxy refuses to connect"},
                  {"401 Unauthorized", "the proxy refuses to connect"},
                  {"404 Not Found", "the proxy refuses to connect"},
                  {"405 Method Not Allowed", "the proxy refuses to connect"},
                  {"451 Unavailable", "the proxy refuses to connect"}};
  for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
    char answer[256];
    snprintf(answer, sizeof answer,
             "HTTP/1.1 %s\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Type: text/html\r\n"
             "Content-Length: 6\r\n\r\n<html>",
             refusals[i].status);
    loopback_step script[] = {{.action = LOOPBACK_ANSWER_CLOSE, .bytes = answer}};
    for (cai_method method = CAI_GET; method <= CAI_DELETE; method++) {
      loopback *proxy = loopback_start(SCENE_STEPS(script));
      cai_call *call = run("http", loopback_port(proxy), method);
      check_refused(call, refusals[i].words, refusals[i].status);
      CHECK_CASE(loopback_connections(proxy) == 1, "%s: %d connections", refusals[i].status,
                 loopback_connections(proxy));
      cai_call_release(call);
      loopback_stop(proxy);
    }
  }
}

static void what_passes_by_itself_is_tried_again(void) {
  static const char *const statuses[] = {"429 Slow Down", "502 Bad Gateway", "503 Down", "504 Late"};
  for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
    char answer[128];
    snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", statuses[i]);
    loopback_step script[] = {{.action = LOOPBACK_ANSWER_CLOSE, .bytes = answer}};
    loopback *proxy = loopback_start(SCENE_STEPS(script));
    cai_call *call = run("http", loopback_port(proxy), CAI_POST);
    CHECK_CASE(call->kind == CAI_KIND_NETWORK && call->attempts == 2, "%s: %d", statuses[i], call->attempts);
    CHECK_CASE(call->outcome == CAI_OUTCOME_NOT_APPLIED, "%s", statuses[i]);
    cai_call_release(call);
    loopback_stop(proxy);
  }
}

/* A SOCKS 5 proxy (RFC 1928, RFC 1929) that asks for a password and refuses it. */
typedef struct {
  int listener, visitors;
} socks;

static void *refuse_passwords(void *user) {
  socks *proxy = user;
  for (int visitor; (visitor = accept(proxy->listener, NULL, NULL)) >= 0; close(visitor)) {
    char bytes[512];
    proxy->visitors++;
    if (read(visitor, bytes, sizeof bytes) > 0 && write(visitor, "\x05\x02", 2) == 2 &&
        read(visitor, bytes, sizeof bytes) > 0 && write(visitor, "\x01\x01", 2) == 2)
      continue;
  }
  return NULL;
}

static void a_refused_password_of_socks_is_not_repeated(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  socks proxy = {.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  pthread_t thread;
  CHECK(bind(proxy.listener, (struct sockaddr *)&address, size) == 0 && listen(proxy.listener, 8) == 0 &&
        getsockname(proxy.listener, (struct sockaddr *)&address, &size) == 0);
  CHECK(pthread_create(&thread, NULL, refuse_passwords, &proxy) == 0);
  cai_call *call = run("socks5h", ntohs(address.sin_port), CAI_PUT);
  shutdown(proxy.listener, SHUT_RDWR);
  pthread_join(thread, NULL);
  close(proxy.listener);
#if LIBCURL_VERSION_NUM >= 0x074900 /* an older one does not tell refusals from what may pass */
  check_refused(call, "the proxy wants a password", "socks5h");
  CHECK_CASE(proxy.visitors == 1, "%d", proxy.visitors);
#endif
  cai_call_release(call);
}

int main(void) {
  a_refusal_to_connect_is_taken_at_its_word();
  what_passes_by_itself_is_tried_again();
  a_refused_password_of_socks_is_not_repeated();
  return check_end();
}
