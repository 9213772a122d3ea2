/* SPDX-License-Identifier: Apache-2.0 */
/* A limit, and steps of a letter and a number: a buffer holds what a plain array would hold, up to its limit. */
#include "../../src/core/buffer.h"
#include "fuzz.h"

#define MOST_STEPS 16

typedef struct {
  char *bytes;
  size_t length;
} model;

/* A number of any size, more often a small one. */
static size_t take_number(fuzz_input *input) {
  unsigned char exponent = fuzz_byte(input), mantissa = fuzz_byte(input);
  return (size_t)mantissa << exponent % 13;
}

static void require_content(cai_buffer *buffer, const model *m) {
  const char *joined = cai_buffer_join(buffer);
  REQUIRE(joined != NULL && buffer->length == m->length, "%zu bytes for %zu", buffer->length, m->length);
  REQUIRE(m->length == 0 || memcmp(joined, m->bytes, m->length) == 0, "other bytes");
}

static void try_append(cai_buffer *buffer, model *m, size_t count, char first) {
  char *bytes = malloc(count + 1);
  if (bytes == NULL)
    abort();
  memset(bytes, first, count);
  memset(bytes, first + 1, count / 3);
  cai_buffer_result result = cai_buffer_append(buffer, bytes, count);
  bool fits = count <= buffer->limit - m->length;
  REQUIRE(result == (fits ? CAI_BUFFER_OK : CAI_BUFFER_FULL), "%zu bytes on %zu of %zu: %d", count, m->length,
          buffer->limit, (int)result);
  if (fits && count > 0) {
    memcpy(m->bytes + m->length, bytes, count);
    m->length += count;
  }
  free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  fuzz_input input = {(const char *)bytes, length};
  size_t limit = 3 * take_number(&input);
  cai_buffer buffer;
  model m = {.bytes = malloc(limit + 1)};
  cai_buffer_init(&buffer, limit);
  for (int i = 0; i < MOST_STEPS && input.length > 0; i++) {
    unsigned char step = fuzz_byte(&input);
    size_t number = take_number(&input);
    if (step == 'e') {
      REQUIRE(cai_buffer_expect(&buffer, number) == (number > buffer.limit ? CAI_BUFFER_FULL : CAI_BUFFER_OK),
              "%zu expected", number);
    } else if (step == 'c') {
      cai_buffer_clear(&buffer);
      m.length = 0;
    } else if (step == 'j') {
      require_content(&buffer, &m);
    } else {
      try_append(&buffer, &m, number, (char)step);
    }
    REQUIRE(buffer.length == m.length && buffer.length <= buffer.limit, "%zu bytes", buffer.length);
  }
  require_content(&buffer, &m);
  cai_buffer_clear(&buffer);
  cai_buffer_clear(&buffer);
  free(m.bytes);
  return 0;
}
