/* SPDX-License-Identifier: Apache-2.0 */
#include "checksum.h"

/* What four bits shifted out come to: the polynomial 0xEDB88320, bits in reverse. */
static const uint32_t nibbles[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                     0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                     0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};

uint32_t cai_checksum(const char *bytes, size_t length) {
  uint32_t sum = 0xffffffff;
  for (size_t i = 0; i < length; i++) {
    sum ^= (unsigned char)bytes[i];
    sum = nibbles[sum & 15] ^ sum >> 4;
    sum = nibbles[sum & 15] ^ sum >> 4;
  }
  return ~sum;
}
