/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/display.h"
#include "../../src/core/utf8.h"
#include "check.h"

#include <stdlib.h>

static size_t encode(uint32_t point, char bytes[4]) {
  static const unsigned char marks[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
  size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  for (size_t i = length - 1; i > 0; i--, point >>= 6)
    bytes[i] = (char)(0x80 | (point & 0x3F));
  bytes[0] = (char)(marks[length] | point);
  return length;
}

/* In memory of the exact size, so that the sanitizer sees a step past the end. */
static char *clean(const char *bytes, size_t length, bool lines) {
  char *text = calloc(length + 1, 1), *exact = malloc(length == 0 ? 1 : length);
  memcpy(exact, bytes, length);
  memcpy(text, exact, cai_display_clean(exact, length, lines));
  free(exact);
  return text;
}

static void check_clean(const char *bytes, size_t length, bool lines, const char *wanted) {
  char *text = clean(bytes, length, lines);
  CHECK_TEXT(text, wanted);
  free(text);
}

static void what_a_terminal_obeys_is_blank(void) {
  for (uint32_t point = 0; point < 0xA0; point++) {
    char bytes[4], wanted[2] = " ", lines[2] = " ";
    size_t length = encode(point, bytes);
    if (point >= 0x20 && point < 0x7F)
      wanted[0] = lines[0] = (char)point;
    else if (point == '\n' || point == '\t')
      lines[0] = (char)point;
    check_clean(bytes, length, false, wanted);
    check_clean(bytes, length, true, lines);
  }
}

static void what_is_unseen_or_reorders_is_shown(void) {
  static const uint32_t points[] = {0xAD,   0x61C,  0x115F, 0x180E, 0x200B,  0x200C,  0x200D,  0x200E,
                                    0x200F, 0x2028, 0x2029, 0x202A, 0x202B,  0x202C,  0x202D,  0x202E,
                                    0x2060, 0x2066, 0x2067, 0x2068, 0x2069,  0x206F,  0x3164,  0xFEFF,
                                    0xFFA0, 0xFFF9, 0xFFFB, 0xFFFF, 0xE0001, 0xE007F, 0x1D173, 0x13430};
  for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
    char bytes[4];
    check_clean(bytes, encode(points[i], bytes), true, "?");
  }
  check_clean("\xE2\x9D\xA4\xEF\xB8\x8F", 6, false, "\xE2\x9D\xA4");
}

static void what_is_no_utf8_is_shown(void) {
  check_clean("caf\xE9", 4, false, "caf?");
  check_clean("\xE2\x80", 2, false, "??");
  check_clean("\xC0\x9B[2J", 5, false, "??[2J");
  check_clean("\xED\xA0\x80", 3, false, "???");
  for (int byte = 0x80; byte < 0x100; byte++) {
    char bytes[1] = {(char)byte};
    check_clean(bytes, 1, true, "?");
  }
}

#define ACUTE "\xCC\x81"
#define SIX ACUTE ACUTE ACUTE ACUTE ACUTE ACUTE

/* A name of a letter and hundreds of marks was drawn over the lines above it, such as a question. */
static void marks_stay_in_their_line(void) {
  check_clean("e" ACUTE "e" SIX "x", 17, false, "e" ACUTE "e" SIX "x");
  check_clean("e" SIX ACUTE ACUTE "e" ACUTE, 20, false, "e" SIX "??e" ACUTE);
  check_clean(ACUTE "e", 3, false, "?e");
  check_clean("\n" ACUTE "\x1b" ACUTE, 6, true, "\n? ?");
  check_clean("\xEF\xB8\x8F" ACUTE, 5, false, "?");
  check_clean("e\xEF\xB8\x8F" ACUTE, 6, false, "e" ACUTE);
  char flood[2001] = "e", *once, *twice;
  for (size_t i = 1; i < sizeof flood - 2; i += 2)
    memcpy(flood + i, ACUTE, 2);
  once = clean(flood, strlen(flood), false);
  twice = clean(once, strlen(once), false);
  CHECK_TEXT(once, twice);
  CHECK(strlen(once) == 1 + 12 + 993 && cai_display_cells(once, strlen(once)) == 1 + 993);
  free(once);
  free(twice);
}

/* Cleaned twice is cleaned once; what is left of a character is the character, and it is UTF-8. */
static void every_code_point(void) {
  for (uint32_t point = 0xA0; point <= 0x10FFFF; point += point == 0xD7FF ? 0x801 : point < 0x12000 ? 1 : 17) {
    char bytes[5] = "", *once, *twice;
    size_t length = encode(point, bytes);
    once = clean(bytes, length, false);
    twice = clean(once, strlen(once), false);
    CHECK_CASE(strcmp(once, twice) == 0, "U+%X", point);
    CHECK_CASE(strcmp(once, bytes) == 0 || strcmp(once, "?") == 0 || (point >= 0xFE00 && point <= 0xFE0F), "U+%X",
               point);
    CHECK_CASE(cai_utf8_check(once, strlen(once)), "U+%X", point);
    free(once);
    free(twice);
  }
}

static void check_escape(const char *json, size_t length, const char *wanted) {
  char *out = calloc(CAI_DISPLAY_GROWTH * length + 1, 1);
  cai_display_escape(out, json, length);
  CHECK_TEXT(out, wanted);
  free(out);
}

static void json_loses_nothing(void) {
  check_escape("{\n\"a\": \"b\"}", 11, "{\n\"a\": \"b\"}");
  check_escape("\xE6\x97\xA5", 3, "\xE6\x97\xA5");
  check_escape("\x7F", 1, "\\u007f");
  check_escape("\xC2\x9B", 2, "\\u009b");
  check_escape("\xE2\x80\xAE", 3, "\\u202e");
  check_escape("\xEF\xB8\x8F", 3, "\\ufe0f");
  check_escape("\xF3\xA0\x80\x81", 4, "\\udb40\\udc01");
  check_escape("caf\xE9", 4, "caf\xEF\xBF\xBD");
  check_escape("\"e" SIX ACUTE ACUTE "\"", 19, "\"e" SIX "\\u0301\\u0301\"");
}

static void cells_are_counted(void) {
  static const struct {
    const char *text;
    size_t cells;
  } cases[] = {{"", 0},
               {"plain", 5},
               {"n\xC3\xA4m", 3},
               {"\xE6\x97\xA5\xE6\x9C\xAC", 4},
               {"\xF0\x9F\x94\x91 key", 6},
               {"\xEF\xBC\xA1", 2},
               {"\xED\x95\x9C", 2},
               {"\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", 2}, /* the same syllable in its parts */
               {"\xE4\xB7\x80", 2},
               {"e\xCC\x81", 1},
               {"\xE0\xB8\x81\xE0\xB8\xB4", 1},
               {"\xE2\x80\xA6", 1},
               {"\xF0\xA0\x80\x80", 2}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    CHECK_CASE(cai_display_cells(cases[i].text, strlen(cases[i].text)) == cases[i].cells, "%s", cases[i].text);
}

int main(void) {
  what_a_terminal_obeys_is_blank();
  what_is_unseen_or_reorders_is_shown();
  what_is_no_utf8_is_shown();
  marks_stay_in_their_line();
  every_code_point();
  json_loses_nothing();
  cells_are_counted();
  return check_end();
}
