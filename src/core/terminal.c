/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include "secret.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

int cai_terminal_columns(int descriptor) {
  struct winsize size;
  if (!isatty(descriptor))
    return -1;
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* What a terminal or a user sends to a program that waits for input. After a stop that cannot be caught SIGCONT comes,
 * when a shell may have turned the echo on. */
static const struct {
  int number;
  bool stops; /* it goes on, and asks again */
} handled[] = {{SIGHUP, false}, {SIGINT, false}, {SIGQUIT, false}, {SIGTERM, false},
               {SIGTSTP, true}, {SIGTTIN, true}, {SIGTTOU, true},  {SIGCONT, true}};

#define HANDLED (sizeof handled / sizeof handled[0])

/* A signal handler can reach nothing else (signals.c). */
static volatile sig_atomic_t arrived[HANDLED];

static void note(int number) {
  for (size_t i = 0; i < HANDLED; i++)
    if (handled[i].number == number)
      arrived[i] = 1;
}

static bool any_arrived(void) {
  for (size_t i = 0; i < HANDLED; i++)
    if (arrived[i])
      return true;
  return false;
}

/* What is ignored stays ignored. */
static void take_signals(struct sigaction before[HANDLED]) {
  struct sigaction action = {.sa_handler = note};
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < HANDLED; i++) {
    arrived[i] = 0;
    if (sigaction(handled[i].number, NULL, &before[i]) == 0 && before[i].sa_handler != SIG_IGN)
      sigaction(handled[i].number, &action, NULL);
  }
}

/* Gives the signals that have come to the handlers of before. Returns true if one of them has only stopped the
 * process, which was continued since. */
static bool give_signals(const struct sigaction before[HANDLED]) {
  bool again = false, ends = false;
  for (size_t i = 0; i < HANDLED; i++)
    sigaction(handled[i].number, &before[i], NULL);
  for (size_t i = 0; i < HANDLED; i++) {
    if (arrived[i]) {
      kill(getpid(), handled[i].number);
      again = again || handled[i].stops;
      ends = ends || !handled[i].stops;
    }
  }
  return again && !ends;
}

static bool set_modes(int descriptor, int when, const struct termios *modes) {
  while (tcsetattr(descriptor, when, modes) != 0)
    if (errno != EINTR || any_arrived())
      return false;
  return true;
}

/* Reads up to the end of the line. False: a signal came, or the end of input before anything else. */
static bool read_line(int descriptor, char *line, size_t size, size_t *length) {
  char byte;
  *length = 0;
  for (;;) {
    ssize_t count = any_arrived() ? -1 : read(descriptor, &byte, 1);
    if (count < 0 && errno == EINTR && !any_arrived())
      continue;
    if (count < 0)
      return false;
    if (count == 0 || byte == '\n')
      return count > 0 || *length > 0;
    if (*length < size)
      line[(*length)++] = byte;
    cai_wipe(&byte, 1);
  }
}

bool cai_terminal_ask_hidden(const char *question, char *line, size_t size, size_t *length) {
  struct termios shown, hidden;
  struct sigaction before[HANDLED];
  bool got = false, again = false;
  int descriptor = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0)
    return false;
  if (tcgetattr(descriptor, &shown) != 0) {
    close(descriptor);
    return false;
  }
  hidden = shown;
  hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
  do {
    cai_problem problem;
    size_t written;
    take_signals(before);
    got = set_modes(descriptor, TCSADRAIN, &hidden) &&
          cai_stream_write(descriptor, question, strlen(question), &written, &problem) &&
          read_line(descriptor, line, size, length);
    if (!got)
      cai_wipe(line, size);
    /* The rest of a line that was broken off is not for whoever reads next. */
    tcsetattr(descriptor, got ? TCSADRAIN : TCSAFLUSH, &shown);
    cai_stream_write(descriptor, "\n", 1, &written, &problem);
    again = give_signals(before) && !got;
  } while (again);
  close(descriptor);
  return got;
}
