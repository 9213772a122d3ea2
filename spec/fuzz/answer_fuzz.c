/* SPDX-License-Identifier: Apache-2.0 */
/* A letter for the method, and what comes back on the connection: any bytes, through libcurl and the engine, for a
 * change and a read after it. The sockets are pairs of this process, so that no port is taken. */
#include "../../src/core/engine.h"
#include "fuzz.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEY "confident_us_org_0123456789abcdefghijklmnopqrstuvwxyz"
#define LIMIT ((size_t)256) /* bytes of a body */

static struct {
  fuzz_input bytes;
  int peer; /* the service's end of the last connection; -1: none */
} answer = {.peer = -1};

static void close_peer(void) {
  if (answer.peer >= 0)
    close(answer.peer);
  answer.peer = -1;
}

/* Before those of the C library, for libcurl and for us. */
__attribute__((visibility("default"))) int socket(int family, int type, int protocol) {
  int pair[2];
  if (family != AF_INET || (type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != SOCK_STREAM)
    return (int)syscall(SYS_socket, family, type, protocol);
  if (socketpair(AF_UNIX, type, 0, pair) != 0)
    return -1;
  close_peer();
  answer.peer = pair[1];
  return pair[0];
}

__attribute__((visibility("default"))) int connect(int descriptor, const struct sockaddr *address, socklen_t size) {
  if (address->sa_family != AF_INET)
    return (int)syscall(SYS_connect, descriptor, address, size);
  ssize_t sent = send(answer.peer, answer.bytes.bytes, answer.bytes.length, MSG_NOSIGNAL);
  REQUIRE(sent == (ssize_t)answer.bytes.length, "%zd of %zu bytes sent", sent, answer.bytes.length);
  shutdown(answer.peer, SHUT_WR);
  return 0;
}

static cai_client *client_of_all(void) {
  static cai_client *client;
  char message[CAI_MESSAGE_SIZE] = "";
  cai_client_options options = {.base_url = "http://127.0.0.1:1",
                                .credential = KEY,
                                .credential_length = strlen(KEY),
                                .timeout = 2000,
                                .connect_timeout = 2000,
                                .max_response_bytes = LIMIT};
  if (client == NULL)
    client = cai_client_new(&options, message);
  REQUIRE(client != NULL, "%s", message);
  return client;
}

/* Whether the answer has a status line with this status somewhere. */
static bool has_status(long status) {
  char wanted[8];
  snprintf(wanted, sizeof wanted, " %03ld", status);
  for (size_t i = 0; i + 10 <= answer.bytes.length; i++) {
    const char *at = answer.bytes.bytes + i;
    size_t blank = at[6] == '.' ? 8 : 6;
    if (memcmp(at, "HTTP/", 5) == 0 && i + blank + 4 <= answer.bytes.length && memcmp(at + blank, wanted, 4) == 0)
      return true;
  }
  return false;
}

static void require_call(cai_call *call, cai_method method) {
  bool changes = method != CAI_GET, success = call->status >= 200 && call->status <= 299;
  REQUIRE(call->attempts == 1, "%d attempts", call->attempts);
  REQUIRE(call->transfer.body.length <= LIMIT, "%zu bytes", call->transfer.body.length);
  REQUIRE(call->retry_after >= -1 && call->retry_after <= 1e9, "Retry-After %g", call->retry_after);
  if (call->kind == CAI_KIND_NONE) {
    REQUIRE(success && has_status(call->status) && call->outcome == CAI_OUTCOME_NONE, "status %ld", call->status);
  } else {
    REQUIRE(call->message[0] != '\0' && strstr(call->message, KEY) == NULL, "\"%s\"", call->message);
    REQUIRE((call->outcome == CAI_OUTCOME_NONE) == !changes, "outcome %d", (int)call->outcome);
  }
  if (call->outcome == CAI_OUTCOME_NOT_APPLIED) /* the request was sent: only the service can say so */
    REQUIRE(call->kind == CAI_KIND_API && has_status(call->status) && call->envelope == CAI_ENVELOPE_FAILURE &&
                ((call->status >= 400 && call->status <= 499) || call->status == 503),
            "not applied: status %ld, \"%s\"", call->status, call->message);
  REQUIRE(cai_buffer_join(&call->transfer.body) != NULL, "no body of %zu bytes", call->transfer.body.length);
}

static void run(cai_engine *engine, cai_method method) {
  static const cai_segment segments[] = {{"v1", 2}, {"keys", 4}};
  const char *body = method == CAI_POST || method == CAI_PUT ? "{\"name\":\"ci\"}" : NULL;
  cai_call_options options = {.method = method, .segments = segments, .segment_count = 2, .body = body};
  options.body_length = body == NULL ? 0 : strlen(body);
  cai_call *call = cai_call_new(client_of_all(), &options);
  cai_engine_start(engine, call);
  for (int i = 0; i < 100 && call->state != CAI_CALL_FINISHED; i++)
    cai_engine_step(engine, 100);
  REQUIRE(call->state == CAI_CALL_FINISHED, "a call that does not end");
  require_call(call, method);
  cai_call_release(call);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  static const char letters[] = {[CAI_GET] = 'G', [CAI_POST] = 'P', [CAI_PUT] = 'U', [CAI_DELETE] = 'D'};
  fuzz_input input = {(const char *)bytes, length};
  unsigned char letter = fuzz_byte(&input);
  const char *found = memchr(letters, letter, sizeof letters);
  cai_method method = found == NULL ? (cai_method)(letter % 4) : (cai_method)(found - letters);
  if (input.length > 32768)
    return -1;
  answer.bytes = input;
  cai_engine *engine = cai_engine_new();
  REQUIRE(engine != NULL, "no engine");
  run(engine, method);
  run(engine, CAI_GET);
  cai_engine_release(engine);
  close_peer();
  return 0;
}
