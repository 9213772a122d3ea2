/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/clock.h"
#include "../../src/core/timer.h"
#include "check.h"

/* Whether the list is whole, in order, and as long as it says. */
static bool is_sound(const cai_timers *timers) {
  int count = 0;
  const cai_timer *previous = NULL;
  for (const cai_timer *timer = timers->first; timer != NULL; timer = timer->next) {
    if (!timer->running || timer->previous != previous || (previous != NULL && previous->due > timer->due))
      return false;
    previous = timer;
    count++;
  }
  return count == timers->count;
}

static void none_is_due_when_none_runs(void) {
  cai_timers timers = {NULL, 0};
  cai_timer timer = {.running = false};
  CHECK(cai_timers_due(&timers) == CAI_NEVER);
  CHECK(cai_timers_expire(&timers, 1e9) == 0);
  CHECK(!cai_timers_remove(&timers, &timer) && timers.count == 0);
}

static void they_end_in_order(void) {
  cai_timers timers = {NULL, 0};
  cai_timer some[4] = {{.running = false}};
  static const double dues[] = {30, 10, 40, 20};
  for (int i = 0; i < 4; i++)
    cai_timers_add(&timers, &some[i], dues[i]);
  CHECK(is_sound(&timers) && timers.count == 4 && cai_timers_due(&timers) == 10);
  CHECK(cai_timers_expire(&timers, 9.9) == 0);
  CHECK(cai_timers_expire(&timers, 20) == 2);
  CHECK(some[1].passed && some[3].passed && !some[1].running && !some[0].passed && some[0].running);
  CHECK(is_sound(&timers) && cai_timers_due(&timers) == 30);
  CHECK(cai_timers_expire(&timers, 1000) == 2 && timers.first == NULL && is_sound(&timers));
}

/* All orders in which three timers begin, with one of them, or none, stopped. */
static void any_can_be_stopped(void) {
  for (int order = 0; order < 27; order++) {
    for (int stopped = 0; stopped < 3; stopped++) {
      cai_timers timers = {NULL, 0};
      cai_timer some[3] = {{.running = false}};
      cai_timers_add(&timers, &some[0], order % 3);
      cai_timers_add(&timers, &some[1], order / 3 % 3);
      cai_timers_add(&timers, &some[2], order / 9);
      CHECK_CASE(cai_timers_remove(&timers, &some[stopped]), "%d %d", order, stopped);
      CHECK_CASE(!cai_timers_remove(&timers, &some[stopped]), "%d %d", order, stopped);
      CHECK_CASE(is_sound(&timers) && timers.count == 2, "%d %d", order, stopped);
      CHECK_CASE(!some[stopped].running && !some[stopped].passed, "%d %d", order, stopped);
      CHECK_CASE(cai_timers_expire(&timers, 3) == 2 && !some[stopped].passed, "%d %d", order, stopped);
    }
  }
}

static void one_can_run_again(void) {
  cai_timers timers = {NULL, 0};
  cai_timer timer = {.running = false};
  cai_timers_add(&timers, &timer, 1);
  CHECK(cai_timers_expire(&timers, 1) == 1 && timer.passed);
  cai_timers_add(&timers, &timer, 2);
  CHECK(timer.running && !timer.passed && is_sound(&timers));
  CHECK(cai_timers_remove(&timers, &timer) && !timer.passed);
}

int main(void) {
  none_is_due_when_none_runs();
  they_end_in_order();
  any_can_be_stopped();
  one_can_run_again();
  return check_end();
}
