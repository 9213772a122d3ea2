/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/credential.h"
#include "check.h"

static const struct {
  const char *key;
  cai_credential_fault fault;
  const char *region;
} keys[] = {
    {"confident_us_org_abc", CAI_CREDENTIAL_GOOD, "US"},
    {"confident_eu_org_abc", CAI_CREDENTIAL_GOOD, "EU"},
    {"confident_au_org_abc", CAI_CREDENTIAL_GOOD, "AU"},
    {"confident_org_abc", CAI_CREDENTIAL_GOOD, NULL},
    {"confident_us_abc+/=", CAI_CREDENTIAL_GOOD, "US"},
    {"confident_us_", CAI_CREDENTIAL_GOOD, "US"},
    {"confident_us", CAI_CREDENTIAL_GOOD, NULL},
    {"CONFIDENT_US_org_abc", CAI_CREDENTIAL_GOOD, NULL},
    {"anything-else!", CAI_CREDENTIAL_GOOD, NULL},
    {"x", CAI_CREDENTIAL_GOOD, NULL},
    {"confident_us_proj_abc", CAI_CREDENTIAL_PROJECT_KEY, "US"},
    {"confident_eu_proj_abc", CAI_CREDENTIAL_PROJECT_KEY, "EU"},
    {"confident_au_proj_abc", CAI_CREDENTIAL_PROJECT_KEY, "AU"},
    {"confident_proj_abc", CAI_CREDENTIAL_PROJECT_KEY, NULL},
    {"confident_us_global_abc", CAI_CREDENTIAL_GLOBAL_KEY, "US"},
    {"confident_eu_global_abc", CAI_CREDENTIAL_GLOBAL_KEY, "EU"},
    {"confident_global_abc", CAI_CREDENTIAL_GLOBAL_KEY, NULL},
    {"confident_jp_global_abc", CAI_CREDENTIAL_GLOBAL_KEY, NULL},
    {"confident_jp_proj_abc", CAI_CREDENTIAL_PROJECT_KEY, NULL},
    {"confident_us_globalabc", CAI_CREDENTIAL_GOOD, "US"},
    {"confident_us_project", CAI_CREDENTIAL_GOOD, "US"}, /* "proj" without its underscore is no prefix */
    {"\"confident_eu_org_abc\"", CAI_CREDENTIAL_WRAPPED, NULL},
    {"'confident_eu_org_abc'", CAI_CREDENTIAL_WRAPPED, NULL},
    {"KEY=confident_proj_abc", CAI_CREDENTIAL_WRAPPED, NULL},
    {"xconfident_", CAI_CREDENTIAL_WRAPPED, NULL},
    {"confident_us_org_confident_", CAI_CREDENTIAL_WRAPPED, "US"},
    {"confident_us_org_abc,confident_eu_org_abc", CAI_CREDENTIAL_WRAPPED, "US"},
    {"", CAI_CREDENTIAL_EMPTY, NULL},
    {" confident_us_org_abc", CAI_CREDENTIAL_UNPRINTABLE, NULL},
    {"confident_us_org_abc\n", CAI_CREDENTIAL_UNPRINTABLE, "US"},
    {"confident_us_org\r\nX-Evil: 1", CAI_CREDENTIAL_UNPRINTABLE, "US"},
    {"confident_us_org_\xc3\xa9", CAI_CREDENTIAL_UNPRINTABLE, "US"},
};

int main(void) {
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    size_t length = strlen(keys[i].key);
    CHECK_CASE(cai_credential_check(keys[i].key, length) == keys[i].fault, "%s", keys[i].key);
    CHECK_TEXT(cai_credential_region(keys[i].key, length), keys[i].region);
  }
  for (int c = 0; c < 256; c++) { /* each byte, NUL among them, in the middle of a key */
    char key[] = "abc?def";
    key[3] = (char)c;
    bool printable = c > ' ' && c < 0x7f;
    CHECK_CASE((cai_credential_check(key, 7) == CAI_CREDENTIAL_GOOD) == printable, "byte %d", c);
  }
  CHECK(cai_credential_region("confident_us_org", 4) == NULL); /* the length counts, not the NUL */
  return check_end();
}
