/* SPDX-License-Identifier: Apache-2.0 */
#include "key_format.h"

#include <string.h>

/* Bytes of a whole secret: the fewest behind its prefix, and the most in all. Those of the service have about 60. */
#define SHORTEST_REST ((size_t)16)
#define LONGEST ((size_t)1024)

static const struct {
  const char *word;
  cai_key_kind kind;
} kinds[] = {{"org_", CAI_KEY_ORGANIZATION}, {"proj_", CAI_KEY_PROJECT}, {"global_", CAI_KEY_GLOBAL}};

static bool is_at(const char *bytes, size_t length, size_t at, const char *word) {
  size_t word_length = strlen(word);
  return length - at >= word_length && memcmp(bytes + at, word, word_length) == 0;
}

static bool is_small(char c) {
  return c >= 'a' && c <= 'z';
}

bool cai_key_format_prefix(const char *bytes, size_t length, cai_key_format *format) {
  static const char first[] = "confident_";
  *format = (cai_key_format){.kind = CAI_KEY_UNKNOWN};
  if (!is_at(bytes, length, 0, first))
    return false;
  size_t at = sizeof first - 1;
  if (length - at >= 3 && is_small(bytes[at]) && is_small(bytes[at + 1]) && bytes[at + 2] == '_') {
    memcpy(format->region, bytes + at, 2);
    at += 3;
  }
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    if (is_at(bytes, length, at, kinds[i].word)) {
      format->kind = kinds[i].kind;
      at += strlen(kinds[i].word);
      break;
    }
  }
  format->length = at;
  return true;
}

static bool is_base64(char c) {
  return is_small(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '-' ||
         c == '_';
}

bool cai_key_format_is_character(char c) {
  return is_base64(c) || c == '=';
}

bool cai_key_format_read(const char *bytes, size_t length, cai_key_format *format) {
  cai_key_format found;
  if (format == NULL)
    format = &found;
  if (!cai_key_format_prefix(bytes, length, format) || length > LONGEST || length - format->length < SHORTEST_REST)
    return false;
  size_t end = length;
  while (length - end < 2 && bytes[end - 1] == '=')
    end--;
  for (size_t i = format->length; i < end; i++) {
    if (!is_base64(bytes[i]))
      return false;
  }
  return true;
}
