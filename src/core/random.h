/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_RANDOM_H
#define CAI_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/* The most bytes of one call: what getentropy gives (https://man7.org/linux/man-pages/man3/getentropy.3.html). */
#define CAI_RANDOM_MOST 256

/* Fills `bytes` from the system's generator. False: it has none, or `length` is too much; errno says which. */
bool cai_random_fill(void *bytes, size_t length);

#endif
