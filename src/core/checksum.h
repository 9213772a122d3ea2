/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_CHECKSUM_H
#define CAI_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The CRC-32 of zip and PNG (ISO 3309). It finds damage, not malice. */
uint32_t cai_checksum(const void *bytes, size_t length);

#endif
