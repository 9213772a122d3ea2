/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include "key_format.h"

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

/* Bytes of a secret of `length` that are to be hidden: all but its end, when it is long enough to stay secret. */
static size_t hidden(size_t length) {
  return length - (length >= 3 * CAI_MASK_SHOWN ? CAI_MASK_SHOWN : 0);
}

void cai_mask(const char *bytes, size_t length, char mask[CAI_MASK_SIZE]) {
  size_t shown = length - hidden(length);
  memset(mask, '*', CAI_MASK_STARS);
  memcpy(mask + CAI_MASK_STARS, bytes + length - shown, shown);
  mask[CAI_MASK_STARS + shown] = '\0';
}

/* Equal characters in a row that no secret has, so that they stand for others. */
#define FILLER 8

static bool is_filler(const char *value, size_t end) {
  size_t same = 1;
  while (same < FILLER && same < end && value[end - 1 - same] == value[end - 1])
    same++;
  return same == FILLER;
}

/* Returns true if a value can be a whole secret, or the end of one: of letters, digits and what base64 has besides. */
static bool is_unmarked(const char *value, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (!cai_key_format_is_character(value[i]))
      return false;
  }
  return true;
}

/* Returns how many characters at the end of a value are the secret's own. Services mask in many ways: with asterisks,
 * dots, bullets or x, or by a word. What may be a part of the mask itself is not counted: a key that does not seem to
 * end as the client's own might be changed. */
static size_t count_shown(const char *value, size_t length) {
  bool starred = memchr(value, '*', length) != NULL;
  if (memchr(value, ' ', length) != NULL)
    return 0;
  if (!starred && is_unmarked(value, length) && !cai_key_format_read(value, length, NULL))
    return 0;
  size_t shown = 0;
  while (shown < CAI_MASK_SHOWN && shown < length) {
    char c = value[length - 1 - shown];
    bool own = starred ? c > ' ' && c < 0x7f && c != '*' : cai_key_format_is_character(c);
    if (!own || is_filler(value, length - shown))
      break;
    shown++;
  }
  return shown;
}

void cai_mask_shown(const char *value, size_t length, char mask[CAI_MASK_SIZE]) {
  size_t shown = count_shown(value, length);
  memset(mask, '*', CAI_MASK_STARS);
  memcpy(mask + CAI_MASK_STARS, value + length - shown, shown);
  mask[CAI_MASK_STARS + shown] = '\0';
}

/* Shorter ones are no secrets, and could be parts of any word. */
#define SHORTEST_SECRET 8

static bool is_secret_character(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
         c == '/' || c == '=' || c == '-' || c == '%'; /* quoted in a URL */
}

/* Whether `at` goes on with a word. Most do not by their first letter, and every answer has a link to look at. */
static bool begins_with(const char *at, const char *word, size_t length) {
  return *at == *word && strncmp(at, word, length) == 0;
}

/* Bytes to hide from `at` on, where a secret may begin; 0: it does not. */
static size_t hidden_of(const char *at, const cai_secret *secret) {
  if (secret == NULL || secret->length < SHORTEST_SECRET || !begins_with(at, secret->bytes, secret->length))
    return 0;
  return hidden(secret->length);
}

/* Bytes from `at` on that look like a secret of the service, or its beginning; 0: none begins there. */
static size_t length_of_look(const char *at) {
  static const char prefix[] = "confident_";
  size_t length = sizeof prefix - 1;
  if (!begins_with(at, prefix, length))
    return 0;
  while (is_secret_character((unsigned char)at[length]))
    length++;
  return length;
}

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

void cai_redact(char *text, const cai_secret *credential, const cai_secret *other) {
  const char *looked = text; /* up to here: a look within another ends where that ends, and hides no more */
  size_t stars = 0;          /* due from `at` on */
  for (char *at = text; *at != '\0'; at++) {
    /* Before the star is written: secrets may overlap. */
    size_t look = at < looked ? 0 : length_of_look(at);
    if (look > 0)
      looked = at + look;
    if (look >= 3 * CAI_MASK_SHOWN) /* shorter ones are words of a message, such as a prefix */
      stars = larger(stars, hidden(look));
    stars = larger(stars, larger(hidden_of(at, credential), hidden_of(at, other)));
    if (stars > 0) {
      *at = '*';
      stars--;
    } else if ((unsigned char)*at < 0x20 || *at == 0x7f) {
      *at = ' ';
    }
  }
}
