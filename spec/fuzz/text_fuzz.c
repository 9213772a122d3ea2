/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes: as UTF-8, as an id, and their checksum, each held against another way to tell. */
#include "../../src/core/checksum.h"
#include "../../src/core/id.h"
#include "../../src/core/url.h"
#include "../../src/core/utf8.h"
#include "fuzz.h"

#include <math.h>

/* The bytes of a code point, by the table of RFC 3629, section 3. Their number. */
static size_t encode(uint32_t point, unsigned char out[4]) {
  if (point < 0x80) {
    out[0] = (unsigned char)point;
    return 1;
  }
  size_t count = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  for (size_t i = count - 1; i > 0; i--, point >>= 6)
    out[i] = (unsigned char)(0x80 | (point & 0x3f));
  out[0] = (unsigned char)((0xf00 >> count & 0xff) | point);
  return count;
}

/* Reads whatever looks like a code point, and sees whether writing it gives the same bytes. */
static bool is_utf8(const unsigned char *at, size_t left) {
  while (left > 0) {
    size_t count = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    uint32_t point = count == 1 ? at[0] : at[0] & (0x7fu >> count);
    unsigned char again[4];
    if (count > left)
      return false;
    for (size_t i = 1; i < count; i++)
      point = point << 6 | (at[i] & 0x3f);
    if ((point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff || encode(point, again) != count ||
        memcmp(again, at, count) != 0)
      return false;
    at += count;
    left -= count;
  }
  return true;
}

/* RFC 1952, 8: bit by bit. */
static uint32_t checksum(const unsigned char *bytes, size_t length) {
  uint32_t sum = 0xffffffff;
  for (size_t i = 0; i < 8 * length; i++) {
    uint32_t bit = (sum ^ (uint32_t)bytes[i / 8] >> i % 8) & 1;
    sum = sum >> 1 ^ (bit ? 0xedb88320 : 0);
  }
  return ~sum;
}

static void try_id(const char *text, size_t length) {
  if (cai_id_is_text(text, length)) {
    cai_segment segment = {text, length};
    REQUIRE(cai_segment_check(segment) == CAI_SEGMENT_GOOD, "\"%s\" is no segment", text);
    char *path = cai_path_join(&segment, 1);
    REQUIRE(path[0] == '/' && strcmp(path + 1, text) == 0 && strlen(text) == length, "\"%s\" in \"%s\"", text, path);
    REQUIRE(length <= CAI_ID_SIZE_LIMIT, "%zu bytes", length);
    free(path);
  }
  REQUIRE(!cai_id_is_secret(text, length) || strncmp(text, "confident_", 10) == 0, "\"%s\"", text);
  double number = 0;
  memcpy(&number, text, length < sizeof number ? length : sizeof number);
  if (cai_id_is_number(number)) {
    char digits[32];
    snprintf(digits, sizeof digits, "%.0f", number);
    REQUIRE(number >= 1 && number <= CAI_ID_NUMBER_LIMIT && floor(number) == number, "%g", number);
    REQUIRE(cai_id_is_text(digits, strlen(digits)) && strtod(digits, NULL) == number, "\"%s\"", digits);
  } else {
    REQUIRE(!(number >= 1 && number <= CAI_ID_NUMBER_LIMIT && floor(number) == number), "%g is none", number);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  char *text = fuzz_copy((const char *)bytes, length);
  char *exact = malloc(length > 0 ? length : 1); /* without a NUL, so that a read past its end is seen */
  if (exact == NULL)
    abort();
  memcpy(exact, text, length);
  bool utf8 = cai_utf8_check(exact, length);
  REQUIRE(cai_id_is_text(exact, length) == cai_id_is_text(text, length), "an id by what follows it");
  REQUIRE(cai_id_is_secret(exact, length) == cai_id_is_secret(text, length), "a secret by what follows it");
  free(exact);
  REQUIRE(utf8 == is_utf8(bytes, length), "read as %s", utf8 ? "UTF-8" : "no UTF-8");
  uint32_t sum = cai_checksum(text, length);
  REQUIRE(sum == checksum(bytes, length), "%08x", (unsigned)sum);
  if (length > 0) { /* a bit that flips is seen */
    text[sum % length] ^= (char)(1 << sum % 8);
    REQUIRE(cai_checksum(text, length) != sum, "%08x twice", (unsigned)sum);
    text[sum % length] ^= (char)(1 << sum % 8);
  }
  try_id(text, length);
  free(text);
  return 0;
}
