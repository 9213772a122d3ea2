/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_TIMER_H
#define CAI_TIMER_H

#include <stdbool.h>

/* Moments that an engine waits for as it waits for calls. */

/* All zero: never started. The memory is its owner's, and must stay where it is while the timer runs. */
typedef struct cai_timer {
  bool running;
  bool passed; /* its moment came; false: it runs, or was stopped before */
  double due;  /* cai_clock_now */
  struct cai_timer *previous, *next;
} cai_timer;

/* The timers that run, the next one first. All zero: none. */
typedef struct {
  cai_timer *first;
  int count;
} cai_timers;

/* Starts a timer, which must not run. */
void cai_timers_add(cai_timers *timers, cai_timer *timer, double due);

/* Stops a timer before its moment. Whether it ran. */
bool cai_timers_remove(cai_timers *timers, cai_timer *timer);

/* When the next one is due; CAI_NEVER: none runs. */
double cai_timers_due(const cai_timers *timers);

/* Ends those that are due. How many there were. */
int cai_timers_expire(cai_timers *timers, double now);

#endif
