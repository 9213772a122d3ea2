/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_KEY_FORMAT_H
#define CAI_KEY_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
  CAI_KEY_UNKNOWN = 0, /* its prefix names no kind, as that of old keys */
  CAI_KEY_ORGANIZATION,
  CAI_KEY_PROJECT,
  CAI_KEY_GLOBAL /* works in every project, and is in no list of keys */
} cai_key_kind;

/* What the prefix of a secret says (docs/platform.md). */
typedef struct {
  cai_key_kind kind;
  char region[3]; /* "us", "eu" ...; "": it names none */
  size_t length;  /* of the prefix, in bytes */
} cai_key_format;

/* Reads the prefix of `length` bytes: "confident_", then a region of two letters and a kind, each with "_" behind it,
 * if they are there. False: they do not begin with "confident_". */
bool cai_key_format_prefix(const char *bytes, size_t length, cai_key_format *format);

/* Returns true if a character may stand in a secret: base64, also that for URLs, and its padding. */
bool cai_key_format_is_character(char c);

/* Returns true if `length` bytes are a whole secret of the service, and nothing else: a prefix, and base64 of 16
 * characters or more (also that for URLs), 1024 bytes in all at most. `format` (may be NULL) gets what its prefix
 * says. */
bool cai_key_format_read(const char *bytes, size_t length, cai_key_format *format);

#endif
