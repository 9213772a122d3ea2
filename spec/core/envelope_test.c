/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/envelope.h"
#include "check.h"

#include <stdlib.h>
#include <time.h>

/* What the service says, in whatever way it writes it. */
static const struct {
  const char *text;
  cai_envelope envelope;
} envelopes[] = {
    {"{\"success\":false}", CAI_ENVELOPE_FAILURE},
    {"{\"success\":true}", CAI_ENVELOPE_SUCCESS},
    {"{\"success\":false,\"error\":\"no such key\",\"deprecated\":false}", CAI_ENVELOPE_FAILURE},
    {"\r\n\t { \"error\" : \"\\u00e9\\n\\\"\" , \"success\" : false } \n", CAI_ENVELOPE_FAILURE},
    {"{\"data\":{\"success\":true,\"keys\":[{},[],[1,-0.5e+3,null]]},\"success\":false}", CAI_ENVELOPE_FAILURE},
    {"{\"s\\u0075ccess\":true,\"data\":{\"success\":false}}", CAI_ENVELOPE_SUCCESS},
    {"{\"success\":false,\"error\":\"\xc3\xa9 \xf0\x9f\x94\x91 \\ud83d\\udd11 \\ud83d\"}", CAI_ENVELOPE_FAILURE},
    {"{\"success\":false,\"error\":\"caf\xe9\"}", CAI_ENVELOPE_FAILURE},
    {"{\"successful\":true,\"succes\":1,\"\":2,\"success\":false}", CAI_ENVELOPE_FAILURE},
};

/* What anybody else says, and what was cut or altered on its way. */
static const char *const others[] = {
    "",
    " ",
    "default backend - 404",
    "<html>429</html>",
    "false",
    "null",
    "\"success\"",
    "0",
    "{}",
    "[]",
    "{\"message\":\"no Route matched with those values\"}",
    "{\"error\":\"not found\"}",
    "[{\"success\":false}]",
    "{\"data\":{\"success\":false}}",
    "{\"data\":[{\"success\":false}]}",
    "{\"success\":\"false\"}",
    "{\"success\":0}",
    "{\"success\":null}",
    "{\"success\":[false]}",
    "{\"success\":{}}",
    "{\"Success\":false}",
    "{\"success \":false}",
    "{\"success\\u0000\":false}",
    "{success:false}",
    "{'success':false}",
    "{\"success\":False}",
    "{\"success\":falsehood}",
    "{\"success\":fals}",
    "{\"success\":f",
    "{\"success\":false",
    "{\"success\":false,}",
    "{\"success\":false}}",
    "{\"success\":false} x",
    "{\"success\":false}{\"success\":false}",
    "{\"success\":false},",
    "x{\"success\":false}",
    "{,\"success\":false}",
    "\xef\xbb\xbf{\"success\":false}",
    "HTTP/1.1 404\r\n\r\n{\"success\":false}",
    "{\"success\" false}",
    "{\"success\":false,\"success\":true}",
    "{\"success\":false,\"success\":false}",
    "{\"success\":false,\"s\\u0075ccess\":true}",
    "{\"success\":false \"error\":1}",
    "{\"success\":false,\"a\":}",
    "{\"success\":false,\"a\":01}",
    "{\"success\":false,\"a\":1.}",
    "{\"success\":false,\"a\":.5}",
    "{\"success\":false,\"a\":1e}",
    "{\"success\":false,\"a\":+1}",
    "{\"success\":false,\"a\":-}",
    "{\"success\":false,\"a\":1,5}",
    "{\"success\":false,\"a\":NaN}",
    "{\"success\":false,\"a\":Infinity}",
    "{\"success\":false,\"a\":[1,]}",
    "{\"success\":false,\"a\":[1}",
    "{\"success\":false,\"a\":{]}",
    "{\"success\":false,\"a\":\"\\x41\"}",
    "{\"success\":false,\"a\":\"\\u12g4\"}",
    "{\"success\":false,\"a\":\"\\u12",
    "{\"success\":false,\"a\":\"\\",
    "{\"success\":false,\"a\":\"\n\"}",
    "{\"success\":false,\"a\":\"\x01\"}",
    "{\"success\":false /* */}",
    "{\"success\":false\xa0}",
    "{\"success\":false,\"\xe9\":\"\xe9",
    "{\"success\":false,1:2}",
    "{\"success\":false,\"a\"}",
    "{\"success\":false,\"a\":\"open}",
};

static void the_services_own_word_is_recognised(void) {
  for (size_t i = 0; i < sizeof envelopes / sizeof envelopes[0]; i++)
    CHECK_CASE(cai_envelope_read(envelopes[i].text, strlen(envelopes[i].text)) == envelopes[i].envelope, "%s",
               envelopes[i].text);
}

static void anybody_elses_word_is_not_taken_for_the_services(void) {
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    CHECK_CASE(cai_envelope_read(others[i], strlen(others[i])) == CAI_ENVELOPE_NONE, "%s", others[i]);
  static const char nul[] = "{\"success\":false}\0";
  CHECK(cai_envelope_read(nul, sizeof nul) == CAI_ENVELOPE_NONE);
}

/* In memory of its own, so that a sanitizer sees a byte that is read past the end. */
static cai_envelope read_copy(const char *text, size_t length) {
  char *copy = malloc(length + (length == 0));
  if (copy == NULL)
    abort();
  memcpy(copy, text, length);
  cai_envelope envelope = cai_envelope_read(copy, length);
  free(copy);
  return envelope;
}

static void an_answer_that_was_cut_anywhere_proves_nothing(void) {
  for (size_t i = 0; i < sizeof envelopes / sizeof envelopes[0]; i++) {
    const char *text = envelopes[i].text;
    size_t whole = (size_t)(strrchr(text, '}') - text);
    for (size_t length = 0; length <= whole; length++)
      CHECK_CASE(read_copy(text, length) == CAI_ENVELOPE_NONE, "%.*s", (int)length, text);
  }
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    for (size_t length = 0; length < strlen(others[i]); length++)
      read_copy(others[i], length);
  }
}

/* {"success":false,"a":[[...]]} with `depth` containers in each other. */
static cai_envelope read_nested(int depth) {
  static const char head[] = "{\"success\":false,\"a\":";
  char text[4096];
  size_t inner = (size_t)depth - 1, length = sizeof head - 1;
  memcpy(text, head, length);
  memset(text + length, '[', inner);
  memset(text + length + inner, ']', inner);
  text[length + 2 * inner] = inner == 0 ? '1' : '}';
  text[length + 2 * inner + 1] = '}';
  return cai_envelope_read(text, length + 2 * inner + (inner == 0 ? 2 : 1));
}

static void nesting_has_an_end(void) {
  for (int depth = 1; depth <= 1000; depth++) {
    cai_envelope right = depth <= CAI_ENVELOPE_DEPTH ? CAI_ENVELOPE_FAILURE : CAI_ENVELOPE_NONE;
    CHECK_CASE(read_nested(depth) == right, "%d", depth);
  }
}

static double seconds_for(char *text, size_t length, const char *pattern) {
  size_t period = strlen(pattern);
  for (size_t i = 0; i < length; i++)
    text[i] = pattern[i % period];
  text[0] = '{';
  clock_t before = clock();
  cai_envelope_read(text, length);
  return (double)(clock() - before) / CLOCKS_PER_SEC;
}

/* Eight megabytes of what a quadratic reader would stumble over. */
static void a_large_answer_takes_no_long_time(void) {
  static const char *const patterns[] = {"\"a\":1,", " ", "\"a\":[[],[]],", "\"a\":\"\\u0073\",", "[", "\"\\\\"};
  size_t length = (size_t)8 << 20;
  char *text = malloc(length);
  if (text == NULL)
    abort();
  for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
    double seconds = seconds_for(text, length, patterns[i]);
    CHECK_CASE(seconds < 5, "%s: %g s", patterns[i], seconds);
  }
  free(text);
}

int main(void) {
  the_services_own_word_is_recognised();
  anybody_elses_word_is_not_taken_for_the_services();
  an_answer_that_was_cut_anywhere_proves_nothing();
  nesting_has_an_end();
  a_large_answer_takes_no_long_time();
  return check_end();
}
