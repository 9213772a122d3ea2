/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPEC_FUZZ_H
#define SPEC_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the fuzz targets share: properties that must hold, and an input taken apart. */

/* A property that does not hold ends the program, and libFuzzer keeps the input. The rest is a format with values. */
#define REQUIRE(condition, ...)                                                                                        \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: not so: %s - ", __FILE__, __LINE__, #condition);                                         \
      fprintf(stderr, __VA_ARGS__);                                                                                    \
      fputc('\n', stderr);                                                                                             \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

/* What is left of an input. */
typedef struct {
  const char *bytes;
  size_t length;
} fuzz_input;

/* A copy of exactly its size and a NUL, so that a read past its end is seen. Free with free(). */
static inline char *fuzz_copy(const char *bytes, size_t length) {
  char *copy = malloc(length + 1);
  if (copy == NULL)
    abort();
  if (length > 0)
    memcpy(copy, bytes, length);
  copy[length] = '\0';
  return copy;
}

/* The next line of the input without its end, NUL bytes and all; "" past the end. Free with free(). */
static inline char *fuzz_line(fuzz_input *input, size_t *length) {
  const char *end = input->length > 0 ? memchr(input->bytes, '\n', input->length) : NULL;
  *length = end == NULL ? input->length : (size_t)(end - input->bytes);
  char *line = fuzz_copy(input->bytes, *length);
  size_t taken = end == NULL ? *length : *length + 1;
  input->bytes += taken;
  input->length -= taken;
  return line;
}

/* The next byte, or 0 past the end. */
static inline unsigned char fuzz_byte(fuzz_input *input) {
  if (input->length == 0)
    return 0;
  input->length--;
  return (unsigned char)*input->bytes++;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#endif
