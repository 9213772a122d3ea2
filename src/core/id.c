/* SPDX-License-Identifier: Apache-2.0 */
#include "id.h"

#include <string.h>

bool cai_id_is_number(double number) {
  return number >= 1 && number <= CAI_ID_NUMBER_LIMIT && number == (double)(long long)number; /* NaN fails the first */
}

static bool is_id_character(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool cai_id_is_text(const char *bytes, size_t length) {
  if (length == 0 || length > CAI_ID_SIZE_LIMIT)
    return false;
  for (size_t i = 0; i < length; i++) {
    if (!is_id_character((unsigned char)bytes[i]))
      return false;
  }
  return true;
}

bool cai_id_is_secret(const char *bytes, size_t length) {
  static const char prefix[] = "confident_";
  return length >= sizeof prefix - 1 && memcmp(bytes, prefix, sizeof prefix - 1) == 0;
}
