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

static void each_failure_has_its_words(void) {
  cai_client *client = new_client();
  cai_transfer transfer = {.easy = NULL};
  char message[CAI_MESSAGE_SIZE];
  cai_message_write(message, client, &transfer, CURLE_OK, 404);
  CHECK_TEXT(message, "the answer has status 404");
  cai_message_write(message, client, &transfer, CURLE_OK, 301);
  CHECK(strstr(message, "redirect") != NULL && strstr(message, "base_url") != NULL);
  cai_message_write(message, client, &transfer, CURLE_COULDNT_CONNECT, 0);
  CHECK_TEXT(message, curl_easy_strerror(CURLE_COULDNT_CONNECT));
  cai_message_write(message, client, &transfer, CURLE_PEER_FAILED_VERIFICATION, 0);
  CHECK(strstr(message, "ca_file") != NULL);
  strcpy(transfer.error, "Failed to connect to %s");
  cai_message_write(message, client, &transfer, CURLE_COULDNT_CONNECT, 0);
  CHECK_TEXT(message, "Failed to connect to %s");
  transfer.no_memory = true;
  cai_message_write(message, client, &transfer, CURLE_WRITE_ERROR, 200);
  CHECK(strstr(message, "memory") != NULL);
  transfer.body_over_cap = true;
  cai_message_write(message, client, &transfer, CURLE_WRITE_ERROR, 200);
  CHECK(strstr(message, "max_response_bytes (1048576)") != NULL);
  transfer.headers_over_cap = true;
  cai_message_write(message, client, &transfer, CURLE_WRITE_ERROR, 200);
  CHECK(strstr(message, "headers") != NULL);
  cai_client_release(client);
}

static void libcurls_words_are_redacted(void) {
  cai_client *client = new_client();
  cai_transfer transfer = {.error = "bad \r\nthing " SCENE_KEY " there"};
  char message[CAI_MESSAGE_SIZE];
  cai_message_write(message, client, &transfer, CURLE_RECV_ERROR, 0);
  CHECK(strstr(message, "0123456789") == NULL && strchr(message, '\n') == NULL);
  CHECK(strstr(message, "abcdef there") != NULL);
  cai_client_release(client);
}

int main(void) {
  long_texts_are_cut();
  each_failure_has_its_words();
  libcurls_words_are_redacted();
  return check_end();
}
