/* SPDX-License-Identifier: Apache-2.0 */
/* A byte, then the body of an answer, in pieces of as many bytes: whether it is the service's envelope, held against a
 * recursive reader of RFC 8259, and what its repair changes. */
#include "../../src/core/envelope.h"
#include "../../src/core/json_repair.h"
#include "fuzz.h"

/* What the recursive reader has found. */
typedef struct {
  const char *at; /* ends with a NUL */
  const char *end;
  int members; /* of the outermost object, named "success" */
  cai_envelope envelope;
} model;

static bool read_value(model *m, int depth);

static void skip_blanks(model *m) {
  while (m->at < m->end && strchr(" \t\r\n", *m->at) != NULL && *m->at != '\0')
    m->at++;
}

static bool take(model *m, const char *word) {
  size_t length = strlen(word);
  if (strncmp(m->at, word, length) != 0)
    return false;
  m->at += length;
  return true;
}

/* Reads a string into `name`, whose size is `size`, as far as it is ASCII; another byte stands for all else. */
static bool read_string(model *m, char *name, size_t size) {
  size_t used = 0;
  if (!take(m, "\""))
    return false;
  while (*m->at != '"') {
    unsigned code = (unsigned char)*m->at++;
    if (code < 0x20)
      return false;
    if (code == '\\') {
      const char *escape = strchr("\"\\/bfnrtu", *m->at);
      if (*m->at == '\0' || escape == NULL)
        return false;
      m->at++;
      code = (unsigned char)"\"\\/\b\f\n\r\tu"[escape - "\"\\/bfnrtu"]; /* by the place in the row */
      if (*escape == 'u') {
        char digits[5] = {0};
        strncpy(digits, m->at, 4);
        if (strspn(digits, "0123456789abcdefABCDEF") != 4)
          return false;
        code = (unsigned)strtoul(digits, NULL, 16);
        m->at += 4;
      }
    }
    if (used + 1 < size)
      name[used++] = code > 0 && code < 0x80 ? (char)code : '\x7f';
  }
  name[used] = '\0';
  m->at++;
  return true;
}

static size_t count_digits(const char *at) {
  return strspn(at, "0123456789");
}

static bool read_number(model *m) {
  m->at += *m->at == '-';
  size_t whole = count_digits(m->at);
  if (whole == 0)
    return false;
  m->at += *m->at == '0' ? 1 : whole;
  if (*m->at == '.') {
    size_t decimals = count_digits(m->at + 1);
    if (decimals == 0)
      return false;
    m->at += 1 + decimals;
  }
  if (*m->at == 'e' || *m->at == 'E') {
    m->at += 1 + (m->at[1] == '+' || m->at[1] == '-');
    size_t exponent = count_digits(m->at);
    if (exponent == 0)
      return false;
    m->at += exponent;
  }
  return true;
}

static bool read_member(model *m, int depth) {
  char name[16];
  if (!read_string(m, name, sizeof name))
    return false;
  skip_blanks(m);
  if (!take(m, ":"))
    return false;
  skip_blanks(m);
  if (depth == 1 && strcmp(name, "success") == 0) {
    m->members++;
    m->envelope = *m->at == 't' ? CAI_ENVELOPE_SUCCESS : *m->at == 'f' ? CAI_ENVELOPE_FAILURE : CAI_ENVELOPE_NONE;
  }
  return read_value(m, depth);
}

/* Reads what stands in a container that is open, up to its end. */
static bool read_container(model *m, int depth, bool object) {
  const char *end = object ? "}" : "]";
  skip_blanks(m);
  if (take(m, end))
    return true;
  do {
    skip_blanks(m);
    if (!(object ? read_member(m, depth) : read_value(m, depth)))
      return false;
    skip_blanks(m);
  } while (take(m, ","));
  return take(m, end);
}

/* Reads a value inside of `depth` containers. */
static bool read_value(model *m, int depth) {
  char unused[2];
  if (*m->at == '"')
    return read_string(m, unused, sizeof unused);
  if (*m->at != '{' && *m->at != '[')
    return take(m, "true") || take(m, "false") || take(m, "null") || read_number(m);
  bool object = *m->at++ == '{';
  return depth < CAI_ENVELOPE_DEPTH && read_container(m, depth + 1, object);
}

/* Reads a text that ends with a NUL behind `length` bytes. */
static cai_envelope read_envelope(const char *text, size_t length) {
  model m = {.at = text, .end = text + length};
  skip_blanks(&m);
  if (*m.at != '{' || !read_value(&m, 0))
    return CAI_ENVELOPE_NONE;
  skip_blanks(&m);
  return m.at == m.end && m.members == 1 ? m.envelope : CAI_ENVELOPE_NONE;
}

/* An answer that was cut is no envelope, wherever it was cut. */
static void try_cuts(const char *text, size_t length) {
  while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
    length--;
  for (size_t cut = 0; cut < length && cut < 512; cut++) {
    char *part = malloc(length - cut); /* exactly, so that a read past its end is seen */
    if (part == NULL)
      abort();
    memcpy(part, text, length - cut - 1);
    REQUIRE(cai_envelope_read(part, length - cut - 1) == CAI_ENVELOPE_NONE, "without the last %zu bytes", cut + 1);
    free(part);
  }
}

static cai_buffer in_pieces(const char *text, size_t length, size_t piece) {
  cai_buffer buffer;
  cai_buffer_init(&buffer, length);
  for (size_t at = 0; at < length; at += piece)
    REQUIRE(cai_buffer_append(&buffer, text + at, length - at < piece ? length - at : piece) == CAI_BUFFER_OK,
            "append");
  return buffer;
}

/* The repair adds nothing but quotes around numbers, changes nothing but digits of escapes, hides no envelope, and has
 * nothing to do in what it made. */
static void try_repair(const char *text, size_t length, size_t piece, cai_envelope envelope) {
  cai_buffer buffer = in_pieces(text, length, piece);
  REQUIRE(cai_json_repair(&buffer), "out of memory");
  const char *repaired = cai_buffer_join(&buffer);
  size_t from = 0;
  for (size_t i = 0; i < buffer.length; i++) {
    bool same = from < length && repaired[i] == text[from];
    bool escape = from >= 2 && from < length && strchr("fFdD", repaired[i]) != NULL && repaired[i] != '\0';
    REQUIRE(same || escape || repaired[i] == '"', "byte %zu is new", i);
    from += same || (escape && repaired[i] != '"');
  }
  REQUIRE(from == length, "%zu of %zu bytes are left", from, length);
  if (envelope != CAI_ENVELOPE_NONE)
    REQUIRE(cai_envelope_read(repaired, buffer.length) == envelope, "another envelope");
  cai_buffer again = in_pieces(repaired, buffer.length, buffer.length + 1);
  REQUIRE(cai_json_repair(&again), "out of memory");
  REQUIRE(again.length == buffer.length && memcmp(cai_buffer_join(&again), repaired, again.length) == 0,
          "repaired again");
  cai_buffer_clear(&again);
  cai_buffer_clear(&buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  fuzz_input input = {(const char *)bytes, size};
  size_t piece = 1 + (size_t)fuzz_byte(&input), length = input.length;
  char *text = fuzz_copy(input.bytes, length), *exact = malloc(length > 0 ? length : 1);
  if (exact == NULL)
    abort();
  memcpy(exact, text, length);
  cai_envelope envelope = cai_envelope_read(exact, length);
  free(exact);
  REQUIRE(envelope == read_envelope(text, length), "read as %d", (int)envelope);
  if (envelope != CAI_ENVELOPE_NONE)
    try_cuts(text, length);
  try_repair(text, length, piece, envelope);
  free(text);
  return 0;
}
