/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_CHECKSUM_H
#define CAI_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The CRC-32 of IEEE 802.3, as zlib and gzip have it (RFC 1952, 8): it finds damage, and proves nothing against an
 * attacker. */
uint32_t cai_checksum(const char *bytes, size_t length);

#endif
