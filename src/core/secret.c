/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#if !defined(CAI_HAS_EXPLICIT_BZERO)
/* Volatile: the compiler cannot know which function this is when it runs, nor drop the call. */
static void *(*const volatile overwrite)(void *, int, size_t) = memset;
#endif

void cai_wipe(void *bytes, size_t length) {
  if (length == 0)
    return;
#if defined(CAI_HAS_EXPLICIT_BZERO)
  explicit_bzero(bytes, length);
#else
  overwrite(bytes, 0, length);
#endif
}

cai_secret *cai_secret_new(const char *bytes, size_t length) {
  cai_secret *secret = malloc(sizeof *secret + length + 1);
  if (secret == NULL)
    return NULL;
  secret->length = length;
  memcpy(secret->bytes, bytes, length);
  secret->bytes[length] = '\0';
  return secret;
}

void cai_secret_free(cai_secret *secret) {
  if (secret == NULL)
    return;
  cai_wipe(secret->bytes, secret->length);
  free(secret);
}

void cai_mask(const char *bytes, size_t length, char mask[CAI_MASK_SIZE]) {
  size_t shown = length >= 3 * CAI_MASK_SHOWN ? CAI_MASK_SHOWN : 0;
  memset(mask, '*', CAI_MASK_STARS);
  memcpy(mask + CAI_MASK_STARS, bytes + length - shown, shown);
  mask[CAI_MASK_STARS + shown] = '\0';
}

/* Shorter ones are no secrets, and could be parts of any word. */
#define SHORTEST_SECRET 8

static bool is_secret_character(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
         c == '/' || c == '=' || c == '-' || c == '%'; /* quoted in a URL */
}

/* Stars over a secret of `length` bytes at `text`, but for its end when it is long enough to stay secret. */
static void cover(char *text, size_t length) {
  size_t shown = length >= 3 * CAI_MASK_SHOWN ? CAI_MASK_SHOWN : 0;
  memset(text, '*', length - shown);
}

static void cover_each(char *text, const cai_secret *secret) {
  if (secret == NULL || secret->length < SHORTEST_SECRET)
    return;
  for (char *at = text; (at = strstr(at, secret->bytes)) != NULL; at += secret->length)
    cover(at, secret->length);
}

void cai_redact(char *text, const cai_secret *credential, const cai_secret *other) {
  static const char prefix[] = "confident_";
  char *at;
  /* The longer one first: when it holds the other, stars in its middle would hide it from the search. */
  bool other_first = credential != NULL && other != NULL && other->length > credential->length;
  cover_each(text, other_first ? other : credential);
  cover_each(text, other_first ? credential : other);
  for (at = text; (at = strstr(at, prefix)) != NULL;) {
    size_t length = sizeof prefix - 1;
    while (is_secret_character((unsigned char)at[length]))
      length++;
    if (length >= 3 * CAI_MASK_SHOWN) /* shorter ones are words of a message, such as a prefix */
      cover(at, length);
    at += length;
  }
  for (at = text; *at != '\0'; at++) {
    if ((unsigned char)*at < 0x20 || *at == 0x7f)
      *at = ' ';
  }
}
