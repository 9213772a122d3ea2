/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_RANDOM_H
#define CAI_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills `count` bytes from the system's own source, fit for secrets and for names that must be unique. False: the
 * system gives none, and the bytes are zero. */
bool cai_random_fill(void *bytes, size_t count);

/* A seed for cai_random_jitter, another in each process; where the system gives none, of the clock and the process. */
uint64_t cai_random_seed(void);

/* From 0 up to 1, for the jitter of waits and nothing else: anybody can guess it. */
double cai_random_jitter(uint64_t *seed);

#endif
