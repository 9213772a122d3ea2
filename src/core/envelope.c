/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A position in the text. What cannot be read leaves `at` anywhere and returns false. */
typedef struct {
  const char *at, *end;
  uint64_t objects; /* one bit for each open container, the innermost lowest: 1 for an object, 0 for an array */
  int depth;
  unsigned members;      /* of the outermost object, named "success" */
  cai_envelope envelope; /* what the last of them says */
} reader;

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool sees(const reader *r, char c) {
  return r->at < r->end && *r->at == c;
}

/* Steps over `c`. False: something else is there. */
static bool take(reader *r, char c) {
  if (!sees(r, c))
    return false;
  r->at++;
  return true;
}

static void skip_blanks(reader *r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
    r->at++;
}

static bool skip_digits(reader *r) {
  const char *first = r->at;
  while (r->at < r->end && is_digit(*r->at))
    r->at++;
  return r->at > first;
}

static bool skip_number(reader *r) {
  take(r, '-');
  if (!take(r, '0') && !skip_digits(r))
    return false;
  if (take(r, '.') && !skip_digits(r))
    return false;
  if (!take(r, 'e') && !take(r, 'E'))
    return true;
  if (!take(r, '+'))
    take(r, '-');
  return skip_digits(r);
}

static bool skip_word(reader *r, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
    return false;
  r->at += length;
  return true;
}

/* The four digits of an escape \uXXXX as a number; -1: they are not hexadecimal. */
static int take_hex(reader *r) {
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  int code = 0;
  for (int i = 0; i < 4; i++) {
    const char *digit = r->at < r->end ? memchr(digits, *r->at, sizeof digits - 1) : NULL;
    if (digit == NULL)
      return -1;
    code = code * 16 + (int)(digit - digits) % 16;
    r->at++;
  }
  return code;
}

/* Steps over one character of a string: its code as far as it is ASCII, another number if it is not; -1: no such
 * character or escape. */
static int take_character(reader *r) {
  static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
  unsigned char c = (unsigned char)*r->at++;
  if (c != '\\')
    return c < ' ' ? -1 : c;
  if (take(r, 'u'))
    return take_hex(r);
  const char *escape = r->at < r->end ? memchr(escapes, *r->at, sizeof escapes - 1) : NULL;
  if (escape == NULL)
    return -1;
  r->at++;
  return meanings[escape - escapes];
}

/* Steps over a string, and says in `same` if it is `name`, in whatever way it is escaped. */
static bool skip_string(reader *r, const char *name, bool *same) {
  *same = true;
  if (!take(r, '"'))
    return false;
  while (r->at < r->end && *r->at != '"') {
    int code = take_character(r);
    if (code < 0)
      return false;
    *same = *same && *name != '\0' && code == *name;
    name += *same;
  }
  *same = *same && *name == '\0';
  return take(r, '"');
}

/* Steps over the name of a member, and notes what "success" of the outermost object is. */
static bool skip_name(reader *r) {
  bool same;
  if (!skip_string(r, "success", &same))
    return false;
  skip_blanks(r);
  if (!take(r, ':'))
    return false;
  skip_blanks(r);
  if (!same || r->depth != 1)
    return true;
  r->members++;
  r->envelope = sees(r, 't') ? CAI_ENVELOPE_SUCCESS : sees(r, 'f') ? CAI_ENVELOPE_FAILURE : CAI_ENVELOPE_NONE;
  return true;
}

static bool skip_scalar(reader *r) {
  bool same;
  if (sees(r, '"'))
    return skip_string(r, "", &same);
  return skip_word(r, "true") || skip_word(r, "false") || skip_word(r, "null") || skip_number(r);
}

static bool in_object(const reader *r) {
  return r->depth > 0 && (r->objects & 1) != 0;
}

static bool open_container(reader *r, bool object) {
  if (r->depth == CAI_ENVELOPE_DEPTH)
    return false;
  r->at++;
  r->depth++;
  r->objects = r->objects << 1 | (object ? 1 : 0);
  skip_blanks(r);
  return true;
}

/* Steps over the ends of containers behind a value, and the comma and the name before the next one. */
static bool skip_to_next(reader *r) {
  for (skip_blanks(r); r->depth > 0 && take(r, in_object(r) ? '}' : ']'); skip_blanks(r)) {
    r->depth--;
    r->objects >>= 1;
  }
  if (r->depth == 0)
    return true;
  if (!take(r, ','))
    return false;
  skip_blanks(r);
  return !in_object(r) || skip_name(r);
}

/* Steps over the beginning of a container, or a whole scalar, at a place where a value must be. */
static bool skip_value(reader *r) {
  bool object = sees(r, '{');
  if (!object && !sees(r, '['))
    return skip_scalar(r) && skip_to_next(r);
  if (!open_container(r, object))
    return false;
  if (sees(r, object ? '}' : ']'))
    return skip_to_next(r);
  return !object || skip_name(r);
}

cai_envelope cai_envelope_read(const char *text, size_t length) {
  reader r = {.at = text, .end = text + length};
  skip_blanks(&r);
  if (!sees(&r, '{'))
    return CAI_ENVELOPE_NONE;
  do {
    if (!skip_value(&r))
      return CAI_ENVELOPE_NONE;
  } while (r.depth > 0);
  return r.at == r.end && r.members == 1 ? r.envelope : CAI_ENVELOPE_NONE;
}
