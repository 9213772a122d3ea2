/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/url.h"
#include "check.h"

#include <stdlib.h>

static const struct {
  const char *text, *base;
  bool loopback;
} good[] = {
    {"https://api.confident-ai.com", "https://api.confident-ai.com", false},
    {"https://api.confident-ai.com/", "https://api.confident-ai.com", false},
    {"https://api.confident-ai.com///", "https://api.confident-ai.com", false},
    {"https://h.example:8443/deep/prefix/", "https://h.example:8443/deep/prefix", false},
    {"https://h.example/a%20b", "https://h.example/a%20b", false},
    {"HTTPS://h.example", "https://h.example", false},
    {"https://127.0.0.1:1", "https://127.0.0.1:1", false},
    {"https://[2001:db8::1]:443/x", "https://[2001:db8::1]:443/x", false},
    {"http://localhost:8080", "http://localhost:8080", true},
    {"http://127.0.0.1:8080/p/", "http://127.0.0.1:8080/p", true},
    {"http://127.255.0.9", "http://127.255.0.9", true},
    {"http://[::1]:8080", "http://[::1]:8080", true},
};

static const char *const bad[] = {
    "",
    "api.confident-ai.com",
    "https://",
    "ftp://h.example",
    "file:///etc/passwd",
    "https://user@h.example",
    "https://user:password@h.example",
    "https://:password@h.example",
    "https://h.example/?a=b",
    "https://h.example?",
    "https://h.example#f",
    "https://h.example/#",
    "https://h.example:99999",
    "https://h.example:port",
    "https://h.example/a b",
    "https://h.example/\r\nX-Evil: 1",
    "https://h.example\n",
    "javascript:alert(1)",
    "https://a%2541b/", /* found by fuzzing: unescaped once it is a%41b, and twice aAb */
    "https:/%33",       /* found by fuzzing: unescaped once it is the name 3, and read again 0.0.0.3 */
    "https://h%2Eexample/v1",
    "https://b\xc3\xbc"
    "cher.example", /* xn--bcher-kva.example */
    "https://\xe6\x97\xa5.example:8443/a",
};

/* Plain http that must be asked for; several look like this machine and are not. */
static const char *const plain[] = {
    "http://h.example",
    "http://10.0.0.1",
    "http://localhost.h.example",
    "http://127.0.0.1.h.example",
    "http://128.0.0.1",
    "http://[::2]",
    "http://0.0.0.0",
    "http://notlocalhost",
    "http://[2001:db8::1]:8080",
    "http://126.255.255.255/",
};

static void good_ones_are_normalized(void) {
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    char message[CAI_MESSAGE_SIZE] = "";
    cai_base_url base;
    CHECK_CASE(cai_base_url_parse(&base, good[i].text, false, message), "%s: %s", good[i].text, message);
    CHECK_TEXT(base.text, good[i].base);
    CHECK_CASE(base.loopback == good[i].loopback, "%s", good[i].text);
    cai_base_url_clear(&base);
    cai_base_url_clear(&base);
    CHECK(base.text == NULL);
  }
}

static void bad_ones_are_refused_with_words(void) {
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    for (int allow = 0; allow < 2; allow++) {
      char message[CAI_MESSAGE_SIZE] = "";
      cai_base_url base;
      CHECK_CASE(!cai_base_url_parse(&base, bad[i], allow, message), "\"%s\"", bad[i]);
      CHECK_CASE(strncmp(message, "base_url", 8) == 0, "\"%s\": %s", bad[i], message);
      CHECK(base.text == NULL && !base.loopback);
      CHECK(strstr(message, "password@") == NULL);
      cai_base_url_clear(&base);
    }
  }
}

static void plain_http_must_be_asked_for(void) {
  for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
    char message[CAI_MESSAGE_SIZE] = "";
    cai_base_url base;
    CHECK_CASE(!cai_base_url_parse(&base, plain[i], false, message), "%s", plain[i]);
    CHECK_CASE(strstr(message, "allow_plain_http") != NULL, "%s: %s", plain[i], message);
    CHECK_CASE(cai_base_url_parse(&base, plain[i], true, message), "%s: %s", plain[i], message);
    CHECK_CASE(!base.loopback, "%s", plain[i]);
    cai_base_url_clear(&base);
  }
}

static cai_segment segment(const char *text) {
  return (cai_segment){text, strlen(text)};
}

static void segments_are_checked(void) {
  CHECK(cai_segment_check(segment("")) == CAI_SEGMENT_EMPTY);
  CHECK(cai_segment_check(segment(".")) == CAI_SEGMENT_DOTS);
  CHECK(cai_segment_check(segment("..")) == CAI_SEGMENT_DOTS);
  CHECK(cai_segment_check(segment("...")) == CAI_SEGMENT_GOOD);
  CHECK(cai_segment_check(segment(".a")) == CAI_SEGMENT_GOOD);
  CHECK(cai_segment_check(segment("..a")) == CAI_SEGMENT_GOOD);
  for (int c = 0; c < 256; c++) {
    char text[] = "a?b";
    text[1] = (char)c;
    bool control = c < 0x20 || c == 0x7f;
    CHECK_CASE(cai_segment_check((cai_segment){text, 3}) == (control ? CAI_SEGMENT_CONTROL : CAI_SEGMENT_GOOD),
               "byte %d", c);
  }
}

static void queries_are_checked(void) {
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~=&%";
  CHECK(cai_query_check("page=1&pageSize=1", 17));
  CHECK(!cai_query_check("", 0));
  for (int c = 0; c < 256; c++) {
    char text[] = {'a', (char)c};
    CHECK_CASE(cai_query_check(text, 2) == (c != 0 && strchr(allowed, c) != NULL), "byte %d", c);
  }
}

static void each_segment_stays_one(void) {
  cai_segment hostile[] = {segment("v1"), segment("../organization"), segment("a/b?c#d%2f\\"), segment("\xc3\xa9 ~")};
  char *path = cai_path_join(hostile, 4);
  CHECK_TEXT(path, "/v1/..%2Forganization/a%2Fb%3Fc%23d%252f%5C/%C3%A9%20~");
  free(path);
  path = cai_path_join(NULL, 0);
  CHECK_TEXT(path, "");
  free(path);
  for (int c = 0; c < 256; c++) { /* unreserved as they are, everything else as %XX */
    char byte = (char)c, wanted[8];
    bool unreserved = c != 0 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", c) != NULL;
    snprintf(wanted, sizeof wanted, unreserved ? "/%c" : "/%%%02X", c);
    cai_segment one = {&byte, 1};
    path = cai_path_join(&one, 1);
    CHECK_TEXT(path, wanted);
    free(path);
  }
}

int main(void) {
  good_ones_are_normalized();
  bad_ones_are_refused_with_words();
  plain_http_must_be_asked_for();
  segments_are_checked();
  queries_are_checked();
  each_segment_stays_one();
  return check_end();
}
