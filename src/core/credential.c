/* SPDX-License-Identifier: Apache-2.0 */
#include "credential.h"

#include "key_format.h"

#include <string.h>

/* The regions that have a service of their own. */
static const char *const regions[][2] = {{"us", "US"}, {"eu", "EU"}, {"au", "AU"}};

/* Returns true if a key begins behind the first byte: its region would not be seen. */
static bool is_wrapped(const char *bytes, size_t length) {
  cai_key_format format;
  for (size_t i = 1; i < length; i++) {
    if (cai_key_format_prefix(bytes + i, length - i, &format))
      return true;
  }
  return false;
}

cai_credential_fault cai_credential_check(const char *bytes, size_t length) {
  cai_key_format format;
  if (length == 0)
    return CAI_CREDENTIAL_EMPTY;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (c <= 0x20 || c >= 0x7f)
      return CAI_CREDENTIAL_UNPRINTABLE;
  }
  if (is_wrapped(bytes, length))
    return CAI_CREDENTIAL_WRAPPED;
  cai_key_format_prefix(bytes, length, &format);
  if (format.kind == CAI_KEY_PROJECT)
    return CAI_CREDENTIAL_PROJECT_KEY;
  return format.kind == CAI_KEY_GLOBAL ? CAI_CREDENTIAL_GLOBAL_KEY : CAI_CREDENTIAL_GOOD;
}

const char *cai_credential_region(const char *bytes, size_t length) {
  cai_key_format format;
  cai_key_format_prefix(bytes, length, &format);
  for (size_t i = 0; i < sizeof regions / sizeof regions[0]; i++) {
    if (strcmp(format.region, regions[i][0]) == 0)
      return regions[i][1];
  }
  return NULL;
}
