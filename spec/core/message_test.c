/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/message.h"
#include "check.h"
#include "scene.h"

#include <string.h>

static cai_client *new_client(void) {
  char message[CAI_MESSAGE_SIZE];
  cai_client_options options = scene_options("https://h.example");
  return cai_client_new(&options, message);
}

static void long_texts_are_cut(void) {
  char message[CAI_MESSAGE_SIZE], text[2 * CAI_MESSAGE_SIZE];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  cai_message_set(message, text);
  CHECK(strlen(message) == CAI_MESSAGE_SIZE - 1);
  cai_message_set(message, "100% %s");
  CHECK_TEXT(message, "100% %s");
}

/* What a failed call's message is, with these facts. */
static void write(char message[CAI_MESSAGE_SIZE], cai_call *call, CURLcode code, long status) {
  call->status = status;
  cai_message_write(message, call, code);
}

static void each_failure_has_its_words(void) {
  cai_client *client = new_client();
  cai_call call = {.client = client, .request.identity = client->identity};
  cai_transfer *transfer = &call.transfer;
  char message[CAI_MESSAGE_SIZE];
  write(message, &call, CURLE_OK, 404);
  CHECK_TEXT(message, "the answer has status 404");
  write(message, &call, CURLE_OK, 301);
  CHECK(strstr(message, "redirect") != NULL && strstr(message, "base_url") != NULL);
  write(message, &call, CURLE_COULDNT_CONNECT, 0);
  CHECK_TEXT(message, curl_easy_strerror(CURLE_COULDNT_CONNECT));
  write(message, &call, CURLE_PEER_FAILED_VERIFICATION, 0);
  CHECK(strstr(message, "ca_file") != NULL);
  strcpy(transfer->error, "Failed to connect to %s");
  write(message, &call, CURLE_COULDNT_CONNECT, 0);
  CHECK_TEXT(message, "Failed to connect to %s");
  transfer->no_memory = true;
  write(message, &call, CURLE_WRITE_ERROR, 200);
  CHECK(strstr(message, "memory") != NULL);
  transfer->body_over_cap = true;
  write(message, &call, CURLE_WRITE_ERROR, 200);
  CHECK(strstr(message, "max_response_bytes (1048576)") != NULL);
  transfer->headers_malformed = true;
  write(message, &call, CURLE_BAD_FUNCTION_ARGUMENT, 200);
  CHECK_TEXT(message, "the answer's headers are malformed");
  transfer->headers_over_cap = true;
  write(message, &call, CURLE_WRITE_ERROR, 200);
  CHECK(strstr(message, "headers") != NULL);
  cai_client_release(client);
}

static void libcurls_words_are_redacted(void) {
  static const char other[] = "a-key-of-!another-form!-012345";
  cai_client *client = new_client();
  cai_identity *sent = cai_identity_new(other, sizeof other - 1);
  cai_call call = {.client = client, .request.identity = sent};
  char message[CAI_MESSAGE_SIZE];
  strcpy(call.transfer.error, "bad \r\nthing " SCENE_KEY " there, a-key-of-!another-form!-012345 here");
  write(message, &call, CURLE_RECV_ERROR, 0);
  CHECK(strstr(message, "0123456789") == NULL && strchr(message, '\n') == NULL);
  CHECK(strstr(message, "abcdef there") != NULL);
  CHECK(strstr(message, "another") == NULL && strstr(message, "*012345 here") != NULL);
  cai_identity_release(sent);
  cai_client_release(client);
}

int main(void) {
  long_texts_are_cut();
  each_failure_has_its_words();
  libcurls_words_are_redacted();
  return check_end();
}
