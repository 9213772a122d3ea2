/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/buffer.h"
#include "allocator.h"
#include "check.h"

#include <stdint.h>
#include <stdlib.h>

/* The byte at a position of the pattern that the tests write and look for. */
static char pattern(size_t at) {
  return (char)(at * 31 + (at >> 8));
}

static cai_buffer_result append_pattern(cai_buffer *buffer, size_t length) {
  char *bytes = malloc(length + 1);
  for (size_t i = 0; i < length; i++)
    bytes[i] = pattern(buffer->length + i);
  cai_buffer_result result = cai_buffer_append(buffer, bytes, length);
  free(bytes);
  return result;
}

static bool holds_pattern(cai_buffer *buffer, size_t length) {
  const char *content = cai_buffer_join(buffer);
  bool same = content != NULL && buffer->length == length;
  for (size_t i = 0; same && i < length; i++)
    same = content[i] == pattern(i);
  return same;
}

static void pieces_of_any_size_join(void) {
  static const size_t sizes[] = {1, 7, 100, 4095, 4096, 4097, 16384, 100000, (1 << 20) + 1};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    cai_buffer buffer;
    cai_buffer_init(&buffer, SIZE_MAX);
    size_t total = 0;
    for (int times = 0; times < 40; times++, total += sizes[i])
      CHECK(append_pattern(&buffer, sizes[i]) == CAI_BUFFER_OK);
    CHECK_CASE(holds_pattern(&buffer, total), "pieces of %zu", sizes[i]);
    CHECK(append_pattern(&buffer, 5) == CAI_BUFFER_OK); /* it grows on after a join */
    CHECK_CASE(holds_pattern(&buffer, total + 5), "pieces of %zu", sizes[i]);
    cai_buffer_clear(&buffer);
  }
}

static void the_limit_is_exact(void) {
  cai_buffer buffer;
  cai_buffer_init(&buffer, 10);
  CHECK(append_pattern(&buffer, 11) == CAI_BUFFER_FULL && buffer.length == 0);
  CHECK(append_pattern(&buffer, 10) == CAI_BUFFER_OK);
  CHECK(append_pattern(&buffer, 1) == CAI_BUFFER_FULL);
  CHECK(append_pattern(&buffer, 0) == CAI_BUFFER_OK);
  CHECK(holds_pattern(&buffer, 10)); /* what was refused changed nothing */
  CHECK(cai_buffer_append(&buffer, "", SIZE_MAX) == CAI_BUFFER_FULL);
  cai_buffer_clear(&buffer);
  CHECK(append_pattern(&buffer, 11) == CAI_BUFFER_FULL); /* the limit outlives a clear */
  CHECK(append_pattern(&buffer, 10) == CAI_BUFFER_OK);
  cai_buffer_clear(&buffer);
  cai_buffer_init(&buffer, 0);
  CHECK(append_pattern(&buffer, 0) == CAI_BUFFER_OK);
  CHECK(append_pattern(&buffer, 1) == CAI_BUFFER_FULL);
  cai_buffer_clear(&buffer);
}

static void an_announced_length_is_held_against_the_limit(void) {
  cai_buffer buffer;
  cai_buffer_init(&buffer, 100000);
  CHECK(cai_buffer_expect(&buffer, 100001) == CAI_BUFFER_FULL);
  CHECK(cai_buffer_expect(&buffer, SIZE_MAX) == CAI_BUFFER_FULL);
  CHECK(cai_buffer_expect(&buffer, 100000) == CAI_BUFFER_OK && buffer.length == 0);
  CHECK(cai_buffer_expect(&buffer, 100000) == CAI_BUFFER_OK);
  for (int i = 0; i < 10; i++)
    CHECK(append_pattern(&buffer, 10000) == CAI_BUFFER_OK);
  CHECK(holds_pattern(&buffer, 100000));
  cai_buffer_clear(&buffer);
  CHECK(cai_buffer_expect(&buffer, 10000) == CAI_BUFFER_OK); /* more than was announced still fits */
  CHECK(append_pattern(&buffer, 30000) == CAI_BUFFER_OK && holds_pattern(&buffer, 30000));
  cai_buffer_clear(&buffer);
}

static void a_liars_length_costs_nothing(void) {
  cai_buffer buffer;
  cai_buffer_init(&buffer, SIZE_MAX);
  long before = allocator_alive();
  CHECK(cai_buffer_expect(&buffer, (size_t)1 << 40) == CAI_BUFFER_OK);
  CHECK(allocator_alive() == before);
  cai_buffer_clear(&buffer);
}

static void an_empty_one_is_the_empty_text(void) {
  cai_buffer buffer;
  cai_buffer_init(&buffer, 10);
  CHECK_TEXT(cai_buffer_join(&buffer), "");
  cai_buffer_clear(&buffer);
  cai_buffer_clear(&buffer);
}

/* An announced answer of which nothing came is empty too (buffer.h: `"" when empty`). */
static void an_announced_one_that_stays_empty_is_the_empty_text(void) {
  cai_buffer buffer;
  cai_buffer_init(&buffer, 10000);
  CHECK(cai_buffer_expect(&buffer, 10000) == CAI_BUFFER_OK);
  CHECK(cai_buffer_join(&buffer)[0] == '\0');
  cai_buffer_clear(&buffer);
}

static void whatever_is_freed_is_wiped(void) {
  static const char secret[] = "confident_us_org_0123456789abcdef";
  for (size_t padding = 0; padding < 3; padding++) {
    cai_buffer buffer;
    cai_buffer_init(&buffer, SIZE_MAX);
    char bytes[5000];
    memset(bytes, '.', sizeof bytes);
    memcpy(bytes + 4050, secret, sizeof secret - 1); /* within the first block, and once across its end */
    allocator_watch("0123456789abcdef");
    for (int i = 0; i < 20; i++)
      CHECK(cai_buffer_append(&buffer, bytes, sizeof bytes - padding) == CAI_BUFFER_OK);
    CHECK(cai_buffer_join(&buffer) != NULL);
    CHECK(allocator_seen() == 0); /* joining moves, and wipes what it left */
    cai_buffer_clear(&buffer);
    CHECK(allocator_seen() == 0);
    allocator_watch(NULL);
  }
}

/* Append is all or nothing, and a join that has no memory leaves the content. */
static void without_memory_nothing_is_lost(void) {
  cai_buffer buffer;
  cai_buffer_init(&buffer, SIZE_MAX);
  char bytes[6000];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = pattern(i);
  allocator_fail_from(1);
  CHECK(cai_buffer_append(&buffer, bytes, 10) == CAI_BUFFER_NO_MEMORY && buffer.length == 0);
  CHECK(cai_buffer_expect(&buffer, 8192) == CAI_BUFFER_NO_MEMORY);
  allocator_fail_from(0);
  CHECK(cai_buffer_append(&buffer, bytes, 3000) == CAI_BUFFER_OK);
  allocator_fail_from(1);
  CHECK(cai_buffer_append(&buffer, bytes + 3000, 3000) == CAI_BUFFER_NO_MEMORY && buffer.length == 3000);
  allocator_fail_from(0);
  CHECK(cai_buffer_append(&buffer, bytes + 3000, 3000) == CAI_BUFFER_OK);
  allocator_fail_from(1);
  CHECK(cai_buffer_join(&buffer) == NULL);
  allocator_fail_from(0);
  CHECK(holds_pattern(&buffer, 6000));
  cai_buffer_clear(&buffer);
}

int main(void) {
  long before = allocator_alive();
  pieces_of_any_size_join();
  the_limit_is_exact();
  an_announced_length_is_held_against_the_limit();
  a_liars_length_costs_nothing();
  an_empty_one_is_the_empty_text();
  an_announced_one_that_stays_empty_is_the_empty_text();
  whatever_is_freed_is_wiped();
  without_memory_nothing_is_lost();
  CHECK(allocator_alive() == before);
  return check_end();
}
