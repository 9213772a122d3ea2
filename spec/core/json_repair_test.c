/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/json_repair.h"
#include "check.h"

static const struct {
  const char *text, *repaired;
} texts[] = {
    {"", ""},
    {"{}", "{}"},
    {"{\"a\":\"x\\ud83d\"}", "{\"a\":\"x\\ufffd\"}"},
    {"\"\\uD83D\"", "\"\\ufffd\""},
    {"\"\\ude00\"", "\"\\ufffd\""},
    {"\"\\ud83d\\ude00\"", "\"\\ud83d\\ude00\""},
    {"\"\\ud83d\\ud83d\\ude00\"", "\"\\ufffd\\ud83d\\ude00\""},
    {"\"\\ude00\\ud83d\"", "\"\\ufffd\\ufffd\""},
    {"\"\\ud83dx\\ude00\"", "\"\\ufffdx\\ufffd\""},
    {"\"\\\\ud83d\"", "\"\\\\ud83d\""}, /* a backslash, and "ud83d" */
    {"\"\\\\\\ud83d\"", "\"\\\\\\ufffd\""},
    {"\"\\ud83\"", "\"\\ud83\""}, /* no escape: not ours to mend */
    {"\"\\ud83d", "\"\\ufffd"},
    {"\"\\", "\"\\"},
    {"\"a\\\"1234567890123456789\"", "\"a\\\"1234567890123456789\""},
    {"[1,-2,3.5e-7,0]", "[1,-2,3.5e-7,0]"},
    {"9007199254740992", "9007199254740992"},
    {"9007199254740993", "\"9007199254740993\""},
    {"-9007199254740992", "-9007199254740992"},
    {"-9007199254740993", "\"-9007199254740993\""},
    {"[10000000000000000,1]", "[\"10000000000000000\",1]"},
    {"[1.0000000000000001,2]", "[\"1.0000000000000001\",2]"},
    {"{\"id\":18446744073709551617}", "{\"id\":\"18446744073709551617\"}"},
    {"[9007199254740993,\"\\ud83d\",9007199254740995]", "[\"9007199254740993\",\"\\ufffd\",\"9007199254740995\"]"},
    {"[1e300,123456789012345e20]", "[1e300,123456789012345e20]"},
};

static void check_repair(const char *text, const char *repaired, size_t piece) {
  cai_buffer buffer;
  cai_buffer_init(&buffer, 1 << 20);
  for (size_t at = 0, length = strlen(text); at < length; at += piece)
    CHECK(cai_buffer_append(&buffer, text + at, length - at < piece ? length - at : piece) == CAI_BUFFER_OK);
  CHECK(cai_json_repair(&buffer));
  CHECK_CASE(buffer.length == strlen(repaired) && memcmp(cai_buffer_join(&buffer), repaired, buffer.length) == 0, "%s",
             text);
  CHECK(buffer.limit == 1 << 20);
  cai_buffer_clear(&buffer);
}

/* More than one block, all of numbers that grow. */
static void test_growth(void) {
  cai_buffer buffer;
  cai_buffer_init(&buffer, 1 << 24);
  for (int i = 0; i < 100000; i++)
    CHECK(cai_buffer_append(&buffer, "9007199254740993,", 17) == CAI_BUFFER_OK);
  CHECK(cai_json_repair(&buffer));
  CHECK(buffer.length == 100000 * 19);
  const char *text = cai_buffer_join(&buffer);
  for (int i = 0; i < 100000; i += 9999)
    CHECK(memcmp(text + (size_t)i * 19, "\"9007199254740993\",", 19) == 0);
  cai_buffer_clear(&buffer);
}

int main(void) {
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    check_repair(texts[i].text, texts[i].repaired, 1000);
    check_repair(texts[i].text, texts[i].repaired, 1);
  }
  test_growth();
  return check_end();
}
