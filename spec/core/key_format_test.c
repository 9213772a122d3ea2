/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/key_format.h"
#include "check.h"

#define REST "aB3dE6gH9jK2mN5p"

static const struct {
  const char *text;
  cai_key_kind kind;
  const char *region;
} secrets[] = {
    {"confident_us_org_" REST, CAI_KEY_ORGANIZATION, "us"},
    {"confident_eu_proj_" REST, CAI_KEY_PROJECT, "eu"},
    {"confident_us_global_" REST, CAI_KEY_GLOBAL, "us"},
    {"confident_jp_org_" REST, CAI_KEY_ORGANIZATION, "jp"}, /* a region that is new to us */
    {"confident_org_" REST, CAI_KEY_ORGANIZATION, ""},
    {"confident_us_" REST, CAI_KEY_UNKNOWN, "us"},
    {"confident_" REST, CAI_KEY_UNKNOWN, ""},
    {"confident_us_org_" REST "+/==", CAI_KEY_ORGANIZATION, "us"},
    {"confident_us_org_" REST "-_=", CAI_KEY_ORGANIZATION, "us"},
    {"confident_us_svc_" REST, CAI_KEY_UNKNOWN, "us"},
    {"confident_us_org_aB3dE6gH9jK2mN==", CAI_KEY_ORGANIZATION, "us"},
};

/* What is no secret, or a secret and something else. */
static const char *const others[] = {
    "",
    "confident_",
    "confident_us_org_",
    "confident_us_org_aB3dE6gH9jK2mN5",
    "CONFIDENT_us_org_" REST,
    "xconfident_us_org_" REST,
    "\"confident_us_org_" REST "\"",
    "confident_us_org_" REST "'",
    " confident_us_org_" REST,
    "confident_us_org_" REST " ",
    "confident_us_org_" REST "\n",
    "confident_us_org_" REST "\r",
    "confident_us_org_" REST "\t",
    "confident_us_org_" REST "\x1b[2J",
    "confident_us_org_" REST "\x7f",
    "confident_us_org_" REST "\xc2\xa0",
    "confident_us_org_aB3d E6gH9jK2mN5p",
    "confident_us_org_" REST "===",
    "confident_us_org_aB3d=E6gH9jK2mN5p",
    "confident_us_org_" REST "*",
    "confident_us_****************abcdef",
    "***************abcdef",
    "KEY=confident_us_org_" REST,
    "\xef\xbb\xbf"
    "confident_us_org_" REST,
    "====================",
    "confident_====================",
};

static void test_length(void) {
  char text[1026] = "confident_us_org_";
  memset(text + 17, 'a', sizeof text - 18);
  CHECK(cai_key_format_read(text, 1024, NULL));
  CHECK(!cai_key_format_read(text, 1025, NULL));
  static const char nul[] = "confident_us_org_" REST "\0" REST;
  CHECK(!cai_key_format_read(nul, sizeof nul - 1, NULL));
  CHECK(!cai_key_format_read(nul, 9, NULL)); /* the length counts */
}

int main(void) {
  cai_key_format format;
  for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
    CHECK_CASE(cai_key_format_read(secrets[i].text, strlen(secrets[i].text), &format), "%s", secrets[i].text);
    CHECK_CASE(format.kind == secrets[i].kind, "%s", secrets[i].text);
    CHECK_TEXT(format.region, secrets[i].region);
  }
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    CHECK_CASE(!cai_key_format_read(others[i], strlen(others[i]), &format), "%s", others[i]);
  for (int c = 0; c < 256; c++) { /* each byte, NUL among them, in the middle of a secret */
    char text[] = "confident_us_org_aB3dE6gH?jK2mN5p";
    text[25] = (char)c;
    bool fits = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || strchr("+/-_", c) != NULL;
    CHECK_CASE(cai_key_format_read(text, sizeof text - 1, NULL) == (fits && c != 0), "byte %d", c);
  }
  test_length();
  return check_end();
}
