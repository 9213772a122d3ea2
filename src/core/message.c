/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include <stdio.h>

void cai_message_set(char message[CAI_MESSAGE_SIZE], const char *text) {
  snprintf(message, CAI_MESSAGE_SIZE, "%s", text);
}

/* libcurl's own words, which name hosts and causes, with a remedy where we know one. */
static void write_transport(cai_call *call, CURLcode code) {
  const char *words = call->transfer.error[0] != '\0' ? call->transfer.error : curl_easy_strerror(code);
  const char *remedy = "";
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
    remedy = "; the option ca_file names the certificate authorities to trust";
  snprintf(call->message, CAI_MESSAGE_SIZE, "%s%s", words, remedy);
  cai_redact(call->message, call->client->credential);
}

static void write_over_cap(cai_call *call) {
  if (call->transfer.headers_over_cap)
    cai_message_set(call->message, "the answer's headers are larger than any that the service sends");
  else
    snprintf(call->message, CAI_MESSAGE_SIZE, "the answer is larger than max_response_bytes (%zu)",
             call->client->max_response_bytes);
}

void cai_message_write(cai_call *call, CURLcode code) {
  long status = call->status;
  if (call->transfer.headers_over_cap || call->transfer.body_over_cap)
    write_over_cap(call);
  else if (call->transfer.no_memory)
    cai_message_set(call->message, "out of memory while the answer came in");
  else if (code != CURLE_OK)
    write_transport(call, code);
  else if (status >= 300 && status <= 399)
    snprintf(call->message, CAI_MESSAGE_SIZE,
             "the answer is a redirect (status %ld), which is never followed with a credential: check base_url",
             status);
  else
    snprintf(call->message, CAI_MESSAGE_SIZE, "the answer has status %ld", status);
}
