/* SPDX-License-Identifier: Apache-2.0 */
#include "checksum.h"

uint32_t cai_checksum(const void *bytes, size_t length) {
  const unsigned char *at = bytes;
  uint32_t sum = 0xffffffffU;
  for (; length > 0; length--, at++) {
    sum ^= *at;
    for (int bit = 0; bit < 8; bit++)
      sum = sum >> 1 ^ ((sum & 1) != 0 ? 0xedb88320U : 0); /* the polynomial, its bits reversed */
  }
  return sum ^ 0xffffffffU;
}
