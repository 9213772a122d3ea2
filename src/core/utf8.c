/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

/* Bytes that follow a leading byte, and the bounds of the first of them; RFC 3629, section 4. -1: no leading byte. */
static int following(unsigned char lead, unsigned char *low, unsigned char *high) {
  *low = 0x80;
  *high = 0xBF;
  if (lead < 0x80)
    return 0;
  if (lead >= 0xC2 && lead <= 0xDF)
    return 1;
  if (lead >= 0xE0 && lead <= 0xEF) {
    *low = lead == 0xE0 ? 0xA0 : 0x80;
    *high = lead == 0xED ? 0x9F : 0xBF;
    return 2;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    *low = lead == 0xF0 ? 0x90 : 0x80;
    *high = lead == 0xF4 ? 0x8F : 0xBF;
    return 3;
  }
  return -1;
}

size_t cai_utf8_decode(const char *bytes, size_t length, uint32_t *point) {
  const unsigned char *at = (const unsigned char *)bytes;
  unsigned char low, high;
  int count = length == 0 ? -1 : following(at[0], &low, &high);
  if (count < 0 || length - 1 < (size_t)count)
    return 0;
  *point = count == 0 ? at[0] : at[0] & (0x3FU >> count);
  for (int i = 1; i <= count; i++) {
    if (at[i] < low || at[i] > high)
      return 0;
    *point = *point << 6 | (at[i] & 0x3FU);
    low = 0x80;
    high = 0xBF;
  }
  return (size_t)count + 1;
}

bool cai_utf8_check(const char *bytes, size_t length) {
  uint32_t point;
  while (length > 0) {
    size_t count = cai_utf8_decode(bytes, length, &point);
    if (count == 0)
      return false;
    bytes += count;
    length -= count;
  }
  return true;
}
