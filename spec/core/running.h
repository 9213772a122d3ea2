/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPEC_RUNNING_H
#define SPEC_RUNNING_H

#include "../../src/core/clock.h"
#include "../../src/core/process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What tests of processes share; each program is one translation unit that includes this. */

static inline void rest(double seconds) {
  struct timespec t = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
  nanosleep(&t, NULL);
}

/* Starts a shell with a script; `timeout`: seconds. */
static inline cai_process *run_script(const char *script, const char *input, double timeout) {
  const char *const argv[] = {"/bin/sh", "-c", script, NULL};
  int problem = 0;
  cai_process_options options = {.argv = argv, .input = input, .input_length = strlen(input), .timeout = timeout};
  cai_process *process = cai_process_start(&options, &problem);
  CHECK_CASE(process != NULL, "%s", strerror(problem));
  return process;
}

/* Steps until it has ended, at most ten seconds. Whether it has. */
static inline bool ends(cai_process *process) {
  double deadline = cai_clock_now() + 10;
  while (!cai_process_step(process) && cai_clock_now() < deadline)
    rest(0.001);
  return cai_process_step(process);
}

/* Steps until its output holds a whole line; the number of a process that it begins with. */
static inline long first_number(cai_process *process) {
  char line[32] = "";
  for (double deadline = cai_clock_now() + 10; cai_clock_now() < deadline; rest(0.001)) {
    size_t length;
    bool cut;
    const char *output = cai_process_output(process, &length, &cut);
    const char *end = memchr(output, '\n', length);
    if (end != NULL) {
      snprintf(line, sizeof line, "%.*s", (int)(end - output), output);
      break;
    }
    cai_process_step(process);
  }
  long number = strtol(line, NULL, 10);
  if (!CHECK_CASE(number > 1, "\"%s\"", line))
    exit(check_end()); /* as nobody may kill 0, which is our own group, or 1 */
  return number;
}

static inline bool ended_as(const cai_process *process, cai_process_state wanted, int value) {
  int got;
  cai_process_state state = cai_process_status(process, &got);
  return CHECK_CASE(state == wanted && got == value, "state %d, value %d", (int)state, got);
}

static inline bool says(cai_process *process, const char *wanted) {
  size_t length;
  bool cut;
  const char *got = cai_process_output(process, &length, &cut);
  return CHECK_CASE(length == strlen(wanted) && memcmp(got, wanted, length) == 0 && !cut, "\"%.*s\" is not \"%s\"",
                    (int)length, got, wanted);
}

/* Whether a process, of whomever, goes away within some seconds; one that is dead and waits to be reaped is gone. */
static inline bool goes_away(long pid) {
  char path[64], state = 0;
  snprintf(path, sizeof path, "/proc/%ld/stat", pid);
  for (double deadline = cai_clock_now() + 5; cai_clock_now() < deadline; rest(0.005)) {
    FILE *file = fopen(path, "r");
    int fields = file == NULL ? 0 : fscanf(file, "%*d (%*[^)]) %c", &state);
    if (file != NULL)
      fclose(file);
    if (fields != 1 || state == 'Z' || state == 'X')
      return true;
  }
  return false;
}

#endif
