/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/secret.h"
#include "allocator.h"
#include "check.h"

#include <stdlib.h>
#include <time.h>

#define KEY "confident_us_org_0123456789abcdef"

static void wiping_leaves_zeros(void) {
  char bytes[64];
  memset(bytes, 'x', sizeof bytes);
  cai_wipe(bytes + 1, 62);
  CHECK(bytes[0] == 'x' && bytes[63] == 'x');
  for (int i = 1; i < 63; i++)
    CHECK(bytes[i] == 0);
  cai_wipe(NULL, 0);
}

static void a_secret_is_a_copy_that_is_wiped(void) {
  char source[] = KEY;
  cai_secret *secret = cai_secret_new(source, strlen(source));
  memset(source, '-', sizeof source - 1);
  CHECK(secret->length == strlen(KEY));
  CHECK_TEXT(secret->bytes, KEY);
  allocator_watch("0123456789abcdef");
  cai_secret_free(secret);
  CHECK(allocator_seen() == 0);
  char *careless = malloc(sizeof KEY); /* the watch itself works */
  memcpy(careless, KEY, sizeof KEY);
  free(careless);
  CHECK(allocator_seen() == 1);
  allocator_watch(NULL);
  cai_secret_free(NULL);
}

static void a_mask_shows_the_end_of_long_ones_only(void) {
  char mask[CAI_MASK_SIZE];
  cai_mask(KEY, strlen(KEY), mask);
  CHECK_TEXT(mask, "***************abcdef");
  cai_mask("123456789012345678", 18, mask);
  CHECK_TEXT(mask, "***************345678");
  cai_mask("12345678901234567", 17, mask);
  CHECK_TEXT(mask, "***************");
  cai_mask("", 0, mask);
  CHECK_TEXT(mask, "***************");
}

static const struct {
  const char *text, *credential, *wanted;
} redactions[] = {
    {"", NULL, ""},
    {"nothing here", NULL, "nothing here"},
    {"key " KEY ".", NULL, "key ***************************abcdef."},
    {KEY, NULL, "***************************abcdef"},
    {KEY " " KEY, NULL, "***************************abcdef ***************************abcdef"},
    {"a=confident_eu_proj_aGVsbG8+d29y/bGQ=;", NULL, "a=*****************************y/bGQ=;"},
    {"expected the prefix confident_org_ here", NULL, "expected the prefix confident_org_ here"},
    {"confident_12345678", NULL, "************345678"},
    {"confident_1234567", NULL, "confident_1234567"},
    {"line\r\nbreak\tand\x7f\x1b[31m", NULL, "line  break and  [31m"},
    {"\xc3\xa9", NULL, "\xc3\xa9"},
    {"my s3cret!! twice s3cret!!", "s3cret!!", "my ******** twice ********"},
    {"x-own-scheme.0123456789abcdef!", "x-own-scheme.0123456789abcdef", "***********************abcdef!"},
    {"no such", "s3cret!", "no such"},
    {"the word the", "the", "the word the"}, /* too short to be a secret */
    {"abababab!", "abababab", "********!"},
    {"anything", "", "anything"},
};

static void redaction_hides_secrets_in_place(void) {
  for (size_t i = 0; i < sizeof redactions / sizeof redactions[0]; i++) {
    const char *credential = redactions[i].credential;
    cai_secret *secret = credential == NULL ? NULL : cai_secret_new(credential, strlen(credential));
    char *text = strdup(redactions[i].text); /* its exact size: the sanitizer sees a step past it */
    cai_redact(text, secret, NULL);
    CHECK_TEXT(text, redactions[i].wanted);
    free(text);
    cai_secret_free(secret);
  }
}

/* A service that quotes a request may escape it: behind the first such character the rest of the key was shown. */
static void escaped_secrets_are_hidden(void) {
  static const char *const keys[] = {
      "confident_us_org_aB3dE6\\/gH9jK2mN5pQ8sT1vW4yZ7",       "confident_us_org_aB3dE6\\u002bgH9jK2mN5pQ8sT1vW4yZ7",
      "confident_us_org_aB3dE6\\\\\\/gH9jK2mN5pQ8sT1vW4yZ7",   "confident_us_org_aB3dE6\\\\u002BgH9jK2mN5pQ8sT1vW4yZ7",
      "confident_us_org_aB3dE6\\x2fgH9jK2mN5pQ8sT1vW4yZ7",     "\\u0063onfident_us_org_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7",
      "confident\\_us\\_org\\_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7",    "confident%5fus%5Forg_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7",
      "confident%255Fus_org_aB3dE6%252FgH9jK2mN5pQ8sT1vW4yZ7", "confident_us_org_aB3dE6%2BgH9jK2mN5pQ8sT1vW4yZ7",
      "confident_us_org_aB3dE6&#x2F;gH9jK2mN5pQ8sT1vW4yZ7",    "confident_us_org_aB3dE6&#43;gH9jK2mN5pQ8sT1vW4yZ7",
      "confident_us_org_aB3dE6&#047;gH9jK2mN5pQ8sT1vW4yZ7",    "confident_us_org_aB3dE6&plus;gH9jK2mN5pQ8sT1vW4yZ7",
      "Y29uZmlkZW50X3VzX29yZ19hQjNkRTZnSDlqSzJtTjVwUThzVDF2",  "OmNvbmZpZGVudF91c19vcmdfYUIzZEU2Z0g5aksybU41aB3dE6gHx",
  };
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    char text[128];
    int length = snprintf(text, sizeof text, "bad key '%s', and more", keys[i]);
    cai_redact(text, NULL, NULL);
    CHECK_CASE(strlen(text) == (size_t)length && strstr(text, "', and more") != NULL, "%s", text);
    CHECK_CASE(strstr(text, "gH9j") == NULL && strstr(text, "aB3dE") == NULL && strstr(text, "VzX2") == NULL, "%s",
               text);
    CHECK_CASE(strspn(text + strlen("bad key '") + (i == 15 ? 2 : 0), "*") >= 30, "%s", text);
  }
}

/* The client's own key may be of any format. */
static void own_secrets_are_hidden_escaped(void) {
  static const char *const texts[] = {"own+scheme/0123456789=", "own\\u002bscheme\\/0123456789\\u003d",
                                      "own%2Bscheme%2f0123456789%3D", "own&#43;scheme&#x2f;0123456789&#61;",
                                      "\\u006f\\u0077\\u006e+scheme/0123456789="};
  cai_secret *own = cai_secret_new(texts[0], strlen(texts[0]));
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    char text[128];
    snprintf(text, sizeof text, "<%s>", texts[i]);
    cai_redact(text, own, own);
    CHECK_CASE(strstr(text, "own") == NULL && strstr(text, "scheme") == NULL && strstr(text, "0123") == NULL, "%s",
               text);
  }
  cai_secret_free(own);
}

/* Text that is not an escape, or not of a secret, stays as it is. */
static void other_escapes_stay(void) {
  static const char *const texts[] = {"C:\\users\\x2\\u00",
                                      "100%, 100%25, 100%2",
                                      "a & b &# &#x; &#99999999999; &#0; &amp; \\\\\\\\\\\\\\\\\\\\\\/",
                                      "\\",
                                      "%",
                                      "&",
                                      "confident_us_org_\\n",
                                      "the prefix confident\\_us\\_",
                                      "confident_us_org_&lt;"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    char *text = strdup(texts[i]);
    cai_redact(text, NULL, NULL);
    CHECK_TEXT(text, texts[i]);
    free(text);
  }
}

/* Of two secrets, one of which may hold the other, nothing but their ends is left. */
static void two_secrets_are_hidden(void) {
  static const char *const pairs[][2] = {
      {"s3cret!-first-one", "s3cret!-second-one"},
      {"middle!-and-more", "begin!-middle!-and-more!-end"},
      {"begin!-middle!", "begin!-middle!-and-more!-end"},
      {"confident_us_org_01234567!89abcdef", "01234567"},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    for (int swap = 0; swap < 2; swap++) {
      cai_secret *one = cai_secret_new(pairs[i][swap], strlen(pairs[i][swap]));
      cai_secret *two = cai_secret_new(pairs[i][!swap], strlen(pairs[i][!swap]));
      char text[200];
      int length = snprintf(text, sizeof text, "a %s, %s, %s.", one->bytes, two->bytes, one->bytes);
      cai_redact(text, one, two);
      CHECK_CASE(strlen(text) == (size_t)length, "%s", text);
      CHECK_CASE(strpbrk(text, "!_0") == NULL || strstr(text, "!-end") != NULL, "%s", text);
      CHECK_CASE(strstr(text, "first") == NULL && strstr(text, "middle") == NULL, "%s", text);
      cai_secret_free(one);
      cai_secret_free(two);
    }
  }
}

/* Found by fuzzing: the end that is left of one may be the beginning of the next. */
static void secrets_that_overlap_are_hidden(void) {
  static const char *const cases[][4] = {
      {"abc!0123456789!!abc", NULL, "abc!0123456789!!abc!0123456789!!abc", "*************9!!*************9!!abc"},
      {"0123456789ABCDEFGHIJ", "GHIJKLMNOPQRSTUVWXYZ", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
       "**************EF**************UVWXYZ"},
      {"0123456789ABCDEFGHIJ", "CDEFGHIJKLMNOPQRSTUV", "0123456789ABCDEFGHIJKLMNOPQRSTUV",
       "**************************QRSTUV"},
      {"0123456789abcdefconfi", NULL, "0123456789abcdefconfident_us_org_xyz0123456789",
       "***************f************************456789"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const char *const *c = cases[i];
    cai_secret *one = cai_secret_new(c[0], strlen(c[0]));
    cai_secret *two = c[1] == NULL ? NULL : cai_secret_new(c[1], strlen(c[1]));
    char *text = strdup(c[2]);
    cai_redact(text, one, two);
    CHECK_TEXT(text, c[3]);
    free(text);
    cai_secret_free(one);
    cai_secret_free(two);
  }
}

/* Fills a text with one unit, again and again. */
static void repeat_unit(char *text, size_t length, const char *unit) {
  size_t size = strlen(unit);
  for (size_t i = 0; i < length; i++)
    text[i] = unit[i % size];
  text[length] = '\0';
}

/* Processor seconds for a text of one unit, again and again: the least of three. */
static double time_to_redact(const char *unit, size_t length, const cai_secret *own) {
  char *text = malloc(length + 1);
  double least = 1e9;
  for (int turn = 0; turn < 3; turn++) {
    repeat_unit(text, length, unit);
    clock_t before = clock();
    cai_redact(text, own, own);
    double taken = (double)(clock() - before) / CLOCKS_PER_SEC;
    least = taken < least ? taken : least;
  }
  free(text);
  return least;
}

/* Each prefix, and each escape, was looked at to the end of all: 16 times the text took 256 times as long. */
static void time_grows_as_the_text_does(void) {
  static const char *const units[] = {"\\", "%25", "&#", "&#1", "%", "\\u006f", "confident\\_", "confident_"};
  cai_secret *own = cai_secret_new("ooooooooooooooooooooX", 21);
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    double once = time_to_redact(units[i], 8192, own), sixteen_times = time_to_redact(units[i], 131072, own);
    CHECK_CASE(sixteen_times < 64 * once, "%s: %g s, and %g s for 16 times the text", units[i], once, sixteen_times);
  }
  cai_secret_free(own);
}

static void prefixes_in_a_row_are_one_secret(void) {
  char text[100001];
  repeat_unit(text, sizeof text - 1, "confident_");
  cai_redact(text, NULL, NULL);
  CHECK(strspn(text, "*") == sizeof text - 1 - CAI_MASK_SHOWN);
  CHECK_TEXT(text + sizeof text - 1 - CAI_MASK_SHOWN, "ident_");
}

/* Wherever a key stands and whatever surrounds it, its first part is gone and the length stays. */
static void no_position_escapes(void) {
  static const char *const around[] = {"", " ", "\"", "confident_", "=", "/", "\n", "\xff"};
  cai_secret *credential = cai_secret_new(KEY, strlen(KEY));
  for (size_t before = 0; before < 8; before++) {
    for (size_t after = 0; after < 8; after++) {
      for (int known = 0; known < 2; known++) {
        char text[128];
        int length = snprintf(text, sizeof text, "%s%s%s", around[before], KEY, around[after]);
        cai_redact(text, known ? credential : NULL, NULL);
        CHECK_CASE(strlen(text) == (size_t)length, "%zu %zu", before, after);
        CHECK_CASE(strstr(text, "0123456789") == NULL, "%zu %zu: %s", before, after, text);
      }
    }
  }
  cai_secret_free(credential);
}

int main(void) {
  wiping_leaves_zeros();
  a_secret_is_a_copy_that_is_wiped();
  a_mask_shows_the_end_of_long_ones_only();
  redaction_hides_secrets_in_place();
  escaped_secrets_are_hidden();
  own_secrets_are_hidden_escaped();
  other_escapes_stay();
  two_secrets_are_hidden();
  secrets_that_overlap_are_hidden();
  time_grows_as_the_text_does();
  prefixes_in_a_row_are_one_secret();
  no_position_escapes();
  return check_end();
}
