/* SPDX-License-Identifier: Apache-2.0 */
/* Two credentials, a line each, and a text of foreign origin. Whatever it is, of no credential in it more is left than
 * the end that a mask shows. */
#include "../../src/core/credential.h"
#include "../../src/core/display.h"
#include "../../src/core/message.h"
#include "../../src/core/secret.h"
#include "fuzz.h"

#define SHORTEST_SECRET 8

static size_t shown(size_t length) {
  return length >= 3 * CAI_MASK_SHOWN ? CAI_MASK_SHOWN : 0;
}

static bool is_secret_character(char c) {
  return c != '\0' && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/=-%", c) != NULL;
}

static void require_stars(const char *text, const char *redacted, size_t at, size_t length) {
  size_t hidden = length - shown(length);
  REQUIRE(strspn(redacted + at, "*") >= hidden, "\"%s\" became \"%s\", which shows the one at %zu", text, redacted, at);
}

/* Every occurrence in the text as it came, those that overlap too. */
static void require_hidden(const char *text, const char *redacted, const cai_secret *secret) {
  if (secret == NULL || secret->length < SHORTEST_SECRET)
    return;
  for (const char *at = text; (at = strstr(at, secret->bytes)) != NULL; at++)
    require_stars(text, redacted, (size_t)(at - text), secret->length);
}

static void require_hidden_looks(const char *text, const char *redacted) {
  for (const char *at = text; (at = strstr(at, "confident_")) != NULL; at++) {
    size_t length = strlen("confident_");
    while (is_secret_character(at[length]))
      length++;
    if (length >= 3 * CAI_MASK_SHOWN)
      require_stars(text, redacted, (size_t)(at - text), length);
  }
}

static void require_redacted(const char *text, const char *redacted) {
  REQUIRE(strlen(redacted) == strlen(text), "another length");
  for (size_t i = 0; text[i] != '\0'; i++) {
    bool control = (unsigned char)text[i] < 0x20 || text[i] == 0x7f;
    REQUIRE(redacted[i] == '*' || redacted[i] == (control ? ' ' : text[i]), "byte %zu: %02x", i, redacted[i] & 0xff);
  }
}

/* A message is what cai_redact made, cleaned. */
static void require_message(const char *text, const char *message, const cai_secret *own, const cai_secret *sent) {
  char *wanted = fuzz_copy(text, strlen(text));
  cai_redact(wanted, sent, own);
  require_redacted(text, wanted);
  require_hidden(text, wanted, own);
  require_hidden(text, wanted, sent);
  wanted[cai_display_clean(wanted, strlen(wanted), false)] = '\0';
  REQUIRE(strcmp(message, wanted) == 0, "\"%s\" became \"%s\"", text, message);
  free(wanted);
}

static void try_mask(const cai_secret *secret) {
  char mask[CAI_MASK_SIZE];
  cai_mask(secret->bytes, secret->length, mask);
  size_t end = strlen(mask) - CAI_MASK_STARS;
  REQUIRE(strspn(mask, "*") >= CAI_MASK_STARS && end == shown(secret->length), "\"%s\"", mask);
  REQUIRE(strcmp(mask + CAI_MASK_STARS, secret->bytes + secret->length - end) == 0, "\"%s\"", mask);
}

/* Credentials are what a client accepts. */
static cai_secret *take_secret(fuzz_input *input) {
  size_t length;
  char *line = fuzz_line(input, &length);
  cai_secret *secret = cai_credential_check(line, length) == CAI_CREDENTIAL_GOOD ? cai_secret_new(line, length) : NULL;
  free(line);
  return secret;
}

/* What libcurl says of a failure, in a message. */
static void try_message(const char *text, cai_secret *own, cai_secret *sent) {
  cai_identity own_identity = {.secret = own}, sent_identity = {.secret = sent};
  cai_client client = {.identity = &own_identity};
  cai_call call = {.client = &client, .request.identity = &sent_identity};
  char message[CAI_MESSAGE_SIZE];
  snprintf(call.transfer.error, sizeof call.transfer.error, "%s", text);
  cai_message_write(message, &call, CURLE_RECV_ERROR);
  if (strncmp(text, "Unsupported proxy", strlen("Unsupported proxy")) == 0) {
    REQUIRE(strlen(message) < 50 && strchr(message, ':') == NULL, "\"%s\" quotes the proxy", message);
  } else if (text[0] != '\0') {
    require_message(call.transfer.error, message, own, sent);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  fuzz_input input = {(const char *)bytes, length};
  cai_secret *first = take_secret(&input), *second = take_secret(&input);
  char *text = fuzz_copy(input.bytes, input.length), *redacted = fuzz_copy(text, strlen(text));
  cai_redact(redacted, first, second);
  require_redacted(text, redacted);
  require_hidden(text, redacted, first);
  require_hidden(text, redacted, second);
  require_hidden_looks(text, redacted);
  try_message(text, first, second);
  if (first != NULL)
    try_mask(first);
  cai_secret_free(first);
  cai_secret_free(second);
  free(text);
  free(redacted);
  return 0;
}
