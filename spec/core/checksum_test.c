/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/checksum.h"
#include "check.h"

/* Values of zlib's crc32; the fourth is the check value of the CRC's definition. */
static const struct {
  const char *text;
  uint32_t wanted;
} texts[] = {{"", 0},
             {"a", 0xe8b7be43},
             {"abc", 0x352441c2},
             {"123456789", 0xcbf43926},
             {"The quick brown fox jumps over the lazy dog", 0x414fa339}};

static void known_sums_come_out(void) {
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    CHECK_CASE(cai_checksum(texts[i].text, strlen(texts[i].text)) == texts[i].wanted, "of \"%s\"", texts[i].text);
  char bytes[256];
  memset(bytes, 0, sizeof bytes);
  CHECK(cai_checksum(bytes, 32) == 0x190a55ad);
  memset(bytes, 0xff, sizeof bytes);
  CHECK(cai_checksum(bytes, 32) == 0xff6cab0b);
  for (int i = 0; i < 256; i++)
    bytes[i] = (char)i;
  CHECK(cai_checksum(bytes, 256) == 0x29058c73);
}

/* Any one bit that changes changes the sum. */
static void each_bit_counts(void) {
  char bytes[] = "a record of some length";
  uint32_t good = cai_checksum(bytes, sizeof bytes);
  for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
    bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    CHECK_CASE(cai_checksum(bytes, sizeof bytes) != good, "bit %zu", bit);
    bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
  }
  CHECK(cai_checksum(bytes, sizeof bytes) == good);
}

int main(void) {
  known_sums_come_out();
  each_bit_counts();
  return check_end();
}
