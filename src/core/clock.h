/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_CLOCK_H
#define CAI_CLOCK_H

#include <math.h>

/* A moment that never comes. */
#define CAI_NEVER INFINITY

/* Seconds on a clock that only goes forward; what it counts from means nothing. */
double cai_clock_now(void);

#endif
