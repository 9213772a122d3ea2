/* SPDX-License-Identifier: Apache-2.0 */
#include "signals.h"

#include <signal.h>
#include <stddef.h>

static const struct {
  int number;
  const char *name;
} watched[] = {{SIGHUP, "SIGHUP"}, {SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}};

/* Beside the fork counter the only thing that changes and is static: a signal handler can reach nothing else. */
static volatile sig_atomic_t caught;

static void note(int number) {
  caught = number;
}

void cai_signals_watch(void) {
  /* No SA_RESTART: waits shall end. SA_RESETHAND: whoever does not want to wait for the end asks twice. */
  struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND}, before;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof watched / sizeof watched[0]; i++)
    if (sigaction(watched[i].number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
      sigaction(watched[i].number, &action, NULL);
  /* Whoever writes shall learn that its reader has gone: it may have a secret to deliver. */
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, NULL);
}

void cai_signals_ignore_interrupt(void) {
  signal(SIGINT, SIG_IGN);
}

const char *cai_signals_take(void) {
  int number = caught;
  if (number == 0)
    return NULL; /* one that comes now stays for the next time */
  caught = 0;
  for (size_t i = 0; i < sizeof watched / sizeof watched[0]; i++)
    if (watched[i].number == number)
      return watched[i].name;
  return NULL;
}
