/* SPDX-License-Identifier: Apache-2.0 */
#include "credential.h"

#include <string.h>

static bool starts_with(const char *bytes, size_t length, const char *prefix) {
  size_t prefix_length = strlen(prefix);
  return length >= prefix_length && memcmp(bytes, prefix, prefix_length) == 0;
}

static const struct {
  const char *prefix, *project_prefix, *region;
} families[] = {
    {"confident_us_", "confident_us_proj_", "US"},
    {"confident_eu_", "confident_eu_proj_", "EU"},
    {"confident_au_", "confident_au_proj_", "AU"},
    {"confident_", "confident_proj_", NULL},
};

#define FAMILIES (sizeof families / sizeof families[0])

cai_credential_fault cai_credential_check(const char *bytes, size_t length) {
  if (length == 0)
    return CAI_CREDENTIAL_EMPTY;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (c <= 0x20 || c >= 0x7f)
      return CAI_CREDENTIAL_UNPRINTABLE;
  }
  for (size_t i = 0; i < FAMILIES; i++) {
    if (starts_with(bytes, length, families[i].project_prefix))
      return CAI_CREDENTIAL_PROJECT_KEY;
  }
  return CAI_CREDENTIAL_GOOD;
}

const char *cai_credential_region(const char *bytes, size_t length) {
  for (size_t i = 0; i < FAMILIES; i++) {
    if (starts_with(bytes, length, families[i].prefix))
      return families[i].region;
  }
  return NULL;
}
