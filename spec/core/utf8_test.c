/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/utf8.h"
#include "check.h"

#include <stdint.h>
#include <stdlib.h>

/* The other way round than the code under test: encode every code point by the table of RFC 3629, section 3. */
static size_t encode(uint32_t point, size_t length, char bytes[4]) {
  static const unsigned char marks[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
  for (size_t i = length - 1; i > 0; i--, point >>= 6)
    bytes[i] = (char)(0x80 | (point & 0x3F));
  bytes[0] = (char)(marks[length] | point);
  return length;
}

static size_t shortest(uint32_t point) {
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

/* Checked in memory of the exact size, so that the sanitizer sees a read past the end. */
static bool check(const char *bytes, size_t length) {
  char *exact = calloc(length == 0 ? 1 : length, 1);
  memcpy(exact, bytes, length);
  bool good = cai_utf8_check(exact, length);
  free(exact);
  return good;
}

static void every_code_point(void) {
  for (uint32_t point = 0; point <= 0x1FFFFF; point += point < 0x11000 ? 1 : 61) {
    char bytes[4];
    size_t least = shortest(point);
    bool scalar = point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
    CHECK_CASE(cai_utf8_check(bytes, encode(point, least, bytes)) == scalar, "U+%X", point);
    for (size_t length = least + 1; length <= 4; length++) /* overlong */
      CHECK_CASE(!cai_utf8_check(bytes, encode(point, length, bytes)), "U+%X in %zu", point, length);
  }
}

static void bounds_of_each_length(void) {
  static const uint32_t points[] = {0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF};
  for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
    char bytes[4];
    size_t length = encode(points[i], shortest(points[i]), bytes);
    CHECK_CASE(check(bytes, length), "U+%X", points[i]);
    for (size_t cut = 1; cut < length; cut++)
      CHECK_CASE(!check(bytes, cut), "U+%X cut to %zu", points[i], cut);
  }
  char past[4];
  CHECK(!check(past, encode(0x110000, 4, past)));
}

/* Against every pair of bytes: two bytes are well-formed only as ASCII twice, or as one code point of two bytes. */
static void every_pair(void) {
  for (int first = 0; first < 256; first++) {
    for (int second = 0; second < 256; second++) {
      char bytes[2] = {(char)first, (char)second};
      bool ascii = first < 0x80 && second < 0x80;
      bool one = first >= 0xC2 && first <= 0xDF && second >= 0x80 && second <= 0xBF;
      CHECK_CASE(cai_utf8_check(bytes, 2) == (ascii || one), "%02X %02X", first, second);
    }
  }
}

int main(void) {
  CHECK(check("", 0));
  CHECK(check("plain", 5));
  CHECK(check("a\0b", 3));
  CHECK(check("gr\xc3\xbc\xc3\x9f", 6));
  CHECK(check("\xf0\x9f\x94\x91 key", 8));
  CHECK(!check("key \xf0\x9f\x94", 7));
  CHECK(!check("\xef\xbb", 2));
  CHECK(!check("ok\xff", 3));
  every_code_point();
  bounds_of_each_length();
  every_pair();
  return check_end();
}
