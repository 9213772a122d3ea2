/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include "display.h"

#include <stdio.h>
#include <string.h>

void cai_message_set(char message[CAI_MESSAGE_SIZE], const char *text) {
  snprintf(message, CAI_MESSAGE_SIZE, "%s", text);
  message[cai_display_clean(message, strlen(message), false)] = '\0'; /* the cut may have left a part of a character */
}

void cai_message_redact(char *text, const cai_call *call) {
  if (call == NULL)
    cai_redact(text, NULL, NULL);
  else
    cai_redact(text, call->request.identity->secret, call->client->identity->secret);
  text[cai_display_clean(text, strlen(text), false)] = '\0';
}

/* libcurl's own words, which name hosts and causes, with a remedy where we know one. */
static void write_transport(char message[CAI_MESSAGE_SIZE], const cai_call *call, CURLcode code) {
  const char *words = call->transfer.error[0] != '\0' ? call->transfer.error : curl_easy_strerror(code);
  const char *remedy = "";
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
    remedy = "; the option ca_file names the certificate authorities to trust";
  if (strncmp(words, "Unsupported proxy", strlen("Unsupported proxy")) == 0)
    words = "the proxy is none that libcurl can use"; /* libcurl goes on to quote it, password and all */
  snprintf(message, CAI_MESSAGE_SIZE, "%s%s", words, remedy);
  cai_message_redact(message, call);
}

void cai_message_write(char message[CAI_MESSAGE_SIZE], const cai_call *call, CURLcode code) {
  const cai_transfer *transfer = &call->transfer;
  if (transfer->headers_over_cap)
    cai_message_set(message, "the answer's headers are larger than any that the service sends");
  else if (transfer->headers_malformed)
    cai_message_set(message, "the answer's headers are malformed");
  else if (transfer->body_over_cap)
    snprintf(message, CAI_MESSAGE_SIZE, "the answer is larger than max_response_bytes (%zu)",
             call->client->max_response_bytes);
  else if (transfer->no_memory)
    cai_message_set(message, "out of memory while the answer came in");
  else if (transfer->proxy == CAI_PROXY_WANTS_PASSWORD)
    cai_message_set(message, "the proxy wants a password, or refuses the one that it was given; the option proxy takes "
                             "one: http://user:password@host:port");
  else if (transfer->proxy == CAI_PROXY_FORBIDS)
    cai_message_set(message, "the proxy refuses to connect to the service's host");
  else if (code != CURLE_OK)
    write_transport(message, call, code);
  else if (call->status >= 300 && call->status <= 399)
    snprintf(message, CAI_MESSAGE_SIZE,
             "the answer is a redirect (status %ld), which is never followed with a credential: check base_url",
             call->status);
  else
    snprintf(message, CAI_MESSAGE_SIZE, "the answer has status %ld", call->status);
}
