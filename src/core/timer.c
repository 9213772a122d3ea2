/* SPDX-License-Identifier: Apache-2.0 */
#include "timer.h"

#include "clock.h"

#include <stddef.h>

void cai_timers_add(cai_timers *timers, cai_timer *timer, double due) {
  cai_timer *previous = NULL, *next = timers->first;
  while (next != NULL && next->due <= due) {
    previous = next;
    next = next->next;
  }
  *timer = (cai_timer){.running = true, .due = due, .previous = previous, .next = next};
  if (previous != NULL)
    previous->next = timer;
  else
    timers->first = timer;
  if (next != NULL)
    next->previous = timer;
  timers->count++;
}

bool cai_timers_remove(cai_timers *timers, cai_timer *timer) {
  if (!timer->running)
    return false;
  if (timer->previous != NULL)
    timer->previous->next = timer->next;
  else
    timers->first = timer->next;
  if (timer->next != NULL)
    timer->next->previous = timer->previous;
  timer->previous = timer->next = NULL;
  timer->running = false;
  timers->count--;
  return true;
}

double cai_timers_due(const cai_timers *timers) {
  return timers->first == NULL ? CAI_NEVER : timers->first->due;
}

int cai_timers_expire(cai_timers *timers, double now) {
  int expired = 0;
  for (cai_timer *timer; (timer = timers->first) != NULL && timer->due <= now; expired++) {
    cai_timers_remove(timers, timer);
    timer->passed = true;
  }
  return expired;
}
