/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a client, a line each: base URL, proxy, credential, and another credential for one call. What is
 * accepted can be sent; what is refused is in no message. */
#include "../../src/core/client.h"
#include "../../src/core/credential.h"
#include "../../src/core/proxy.h"
#include "../../src/core/request.h"
#include "fuzz.h"

static void require_printable(const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    REQUIRE((unsigned char)bytes[i] > 0x20 && (unsigned char)bytes[i] < 0x7f, "byte %zu of a credential", i);
}

/* One line each, and the credential in one of them as it is. */
static void require_headers(const struct curl_slist *headers, const char *credential) {
  static const char name[] = "CONFIDENT_API_KEY: ";
  int carriers = 0;
  for (; headers != NULL; headers = headers->next) {
    REQUIRE(strpbrk(headers->data, "\r\n") == NULL, "the header \"%s\"", headers->data);
    if (strncmp(headers->data, name, strlen(name)) == 0)
      carriers += strcmp(headers->data + strlen(name), credential) == 0 ? 1 : 2;
  }
  REQUIRE(carriers == 1, "the credential is not as it was");
}

static void require_identity(const cai_identity *identity, const char *credential, size_t length) {
  REQUIRE(identity->secret->length == length && memcmp(identity->secret->bytes, credential, length) == 0,
          "another credential");
  require_printable(credential, length);
  require_headers(identity->headers, credential);
  require_headers(identity->json_headers, credential);
}

static bool is_credential(const char *text, size_t length) {
  cai_credential_fault fault = cai_credential_check(text, length);
  const char *region = cai_credential_region(text, length);
  bool own = strncmp(text, "confident_", strlen("confident_")) == 0;
  REQUIRE(region == NULL || own, "%s by a prefix that is none", region);
  REQUIRE(fault != CAI_CREDENTIAL_PROJECT_KEY || (own && strstr(text, "_proj_") != NULL), "no key of a project");
  REQUIRE(fault != CAI_CREDENTIAL_GOOD || length > 0, "an empty credential");
  return fault == CAI_CREDENTIAL_GOOD;
}

/* Whatever the options are, a request of this client can be made and set up. */
static void try_request(const cai_client *client, const char *other, size_t length) {
  static const cai_segment segments[] = {{"v1", 2}, {"keys", 4}};
  cai_call_options options = {
      .method = CAI_POST, .segments = segments, .segment_count = 2, .body = "{\"name\":\"ci\"}", .body_length = 13};
  cai_request request;
  CURL *easy = curl_easy_init();
  if (is_credential(other, length)) {
    options.credential = other;
    options.credential_length = length;
  }
  REQUIRE(cai_request_init(&request, client, &options), "no request");
  if (options.credential != NULL)
    require_identity(request.identity, other, length);
  REQUIRE(cai_request_apply(&request, client, easy), "libcurl does not take the request");
  curl_easy_cleanup(easy);
  cai_request_clear(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  fuzz_input input = {(const char *)bytes, length};
  char message[CAI_MESSAGE_SIZE] = "";
  size_t size[4];
  char *lines[4];
  for (int i = 0; i < 4; i++)
    lines[i] = fuzz_line(&input, &size[i]);
  cai_client_options options = {.base_url = lines[0],
                                .proxy = lines[1][0] == '-' ? NULL : lines[1],
                                .credential = lines[2],
                                .credential_length = size[2],
                                .timeout = 1000,
                                .connect_timeout = 1000,
                                .max_response_bytes = 1024};
  cai_client *client = cai_client_new(&options, message);
  bool good = is_credential(lines[2], size[2]);
  if (client != NULL) {
    REQUIRE(good, "an accepted credential");
    REQUIRE(options.proxy == NULL || cai_proxy_complaint(options.proxy) == NULL, "an accepted proxy");
    require_identity(client->identity, lines[2], size[2]);
    try_request(client, lines[3], size[3]);
  } else {
    REQUIRE(message[0] != '\0' && memchr(message, '\0', sizeof message) != NULL, "a refusal without words");
    REQUIRE(strlen(lines[2]) < 12 || strstr(message, lines[2]) == NULL, "the credential in \"%s\"", message);
    REQUIRE(strlen(lines[1]) < 24 || strstr(message, lines[1]) == NULL, "the proxy in \"%s\"", message);
  }
  cai_client_release(client);
  for (int i = 0; i < 4; i++)
    free(lines[i]);
  return 0;
}
