/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(CAI_HAS_SYS_CLOSE_RANGE)
#include <sys/syscall.h>
#endif
#if defined(CAI_HAS_PR_SET_PDEATHSIG)
#include <sys/prctl.h>
#elif defined(CAI_HAS_PROC_PDEATHSIG_CTL)
#include <sys/procctl.h> /* FreeBSD */
#endif
#if defined(CAI_HAS_NSGETENVIRON)
#include <crt_externs.h> /* macOS, where a library has no environ */
#define environ (*_NSGetEnviron())
#elif defined(CAI_NEEDS_ENVIRON)
extern char **environ;
#endif

/* The host may have threads, which hold locks that nobody releases in a copy of it: from the fork on, everything here
 * calls only what is safe in a signal handler (man 7 signal-safety). */

/* Where the watcher has its descriptors: the program's three first. */
enum { INPUT = 0, OUTPUT, ERRORS, REPORT, CONTROL, DESCRIPTORS };

/* Where the system cannot close all from some number on, those up to here are closed one by one. */
#define FARTHEST_DESCRIPTOR 65536

/* Where there is a fork that runs no handlers of pthread_atfork, neither ours nor the host's, it is taken: handlers may
 * wait for a lock, and may do anything in the child (https://sourceware.org/glibc/manual/latest/html_node/
 * Creating-a-Process.html: from 2.34 on). */
static pid_t plain_fork(void) {
#if defined(CAI_HAS_FORK_WITHOUT_HANDLERS)
  return _Fork();
#else
  return fork();
#endif
}

static void report(int descriptor, int kind, int value) {
  cai_report message = {.kind = kind, .value = value};
  ssize_t written = write(descriptor, &message, sizeof message); /* at once, as it is short */
  (void)written;                                                 /* nobody is there: nobody wants to know */
}

/* nginx, for one, has descriptors without FD_CLOEXEC: those that it listens on. */
static void close_from(int first) {
#if defined(CAI_HAS_SYS_CLOSE_RANGE)
  if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0)
    return;
#endif
#if defined(CAI_HAS_CLOSEFROM)
  closefrom(first);
#else
  long most = sysconf(_SC_OPEN_MAX);
  for (int i = first; i < (most < 0 || most > FARTHEST_DESCRIPTOR ? FARTHEST_DESCRIPTOR : most); i++)
    close(i);
#endif
}

/* Moves the given descriptors to where the watcher has them, and closes all others. */
static bool arrange_descriptors(const cai_watcher *watcher) {
  int from[DESCRIPTORS] = {watcher->input, watcher->output, watcher->errors, watcher->report, watcher->control};
  for (int i = 0; i < DESCRIPTORS; i++) /* out of each other's way: a host may have its standard input closed */
    if ((from[i] = fcntl(from[i], F_DUPFD, DESCRIPTORS)) < 0)
      return false;
  for (int i = 0; i < DESCRIPTORS; i++)
    if (dup2(from[i], i) < 0)
      return false;
  close_from(DESCRIPTORS);
  return fcntl(REPORT, F_SETFD, FD_CLOEXEC) == 0 && fcntl(CONTROL, F_SETFD, FD_CLOEXEC) == 0;
}

static void on_child(int number) {
  (void)number;
}

/* Every signal as at a program's start, but that the end of a child ends a wait. */
static void reset_signals(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  for (int number = 1; number < NSIG; number++)
    sigaction(number, &action, NULL); /* fails for those that nobody can change */
  action.sa_handler = on_child;
  sigaction(SIGCHLD, &action, NULL);
}

/* Variables that hold a key, which no program needs to do its work: it gets the secret that it is meant to have. */
static const char *const key_variables[] = {"CONFIDENT_ORG_API_KEY=", "CONFIDENT_PROJ_API_KEY=", "CONFIDENT_API_KEY="};

static bool holds_key(const char *variable) {
  for (size_t i = 0; i < sizeof key_variables / sizeof *key_variables; i++)
    if (strncmp(variable, key_variables[i], strlen(key_variables[i])) == 0)
      return true;
  return false;
}

static void hide_keys(void) {
  char **to = environ;
  for (char **from = environ; from != NULL && *from != NULL; from++)
    if (!holds_key(*from))
      *to++ = *from;
  if (to != NULL)
    *to = NULL;
}

/* Without its watcher a program would have no time limit. Where the system has no such thing it has none then. */
static void die_with_watcher(void) {
#if defined(CAI_HAS_PR_SET_PDEATHSIG)
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#elif defined(CAI_HAS_PROC_PDEATHSIG_CTL)
  int number = SIGKILL;
  procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &number);
#endif
}

/* Becomes the program, in a session of its own: its group can be killed as a whole, and one that asks for a password
 * at the terminal fails at once instead of being stopped there. */
_Noreturn static void become_program(const cai_watcher *watcher) {
  sigset_t none;
  setsid();
  die_with_watcher();
  hide_keys();
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (watcher->folder == NULL || chdir(watcher->folder) == 0)
    execve(watcher->path, watcher->argv, environ);
  report(REPORT, CAI_REPORT_UNSTARTED, errno);
  _exit(127);
}

/* Seconds; a longer limit is none, in three years: systems refuse to wait that long (man pselect on macOS). */
#define LONGEST_LIMIT 1e8

/* Waits for the end of the program, until a moment. Its group's number is nobody else's meanwhile, as the program is
 * not reaped before. */
static void watch(pid_t program, double deadline) {
  sigset_t waiting;
  int status = 0, ready = 1;
  sigfillset(&waiting);
  sigdelset(&waiting, SIGCHLD);
  while (waitpid(program, &status, WNOHANG) == 0) {
    double left = fmax(deadline - cai_clock_now(), 0);
    struct timespec most = {.tv_sec = 0};
    bool limited = left <= LONGEST_LIMIT;
    if (limited) {
      most.tv_sec = (time_t)left;
      most.tv_nsec = (long)((left - (double)most.tv_sec) * 1e9);
    }
    fd_set control; /* pselect: macOS has no ppoll */
    FD_ZERO(&control);
    FD_SET(CONTROL, &control);
    ready = pselect(CONTROL + 1, &control, NULL, NULL, limited ? &most : NULL, &waiting);
    if (ready < 0 && errno == EINTR)
      continue;
    kill(-program, SIGKILL);
    kill(program, SIGKILL); /* it may not be the leader of its group yet */
    waitpid(program, &status, 0);
    break;
  }
  bool late = ready == 0 && WIFSIGNALED(status); /* else it has ended just before */
  report(REPORT, late ? CAI_REPORT_TIMED_OUT : CAI_REPORT_ENDED, status);
}

/* The watcher, with all signals blocked: of the host's session, or of its terminal, none is meant for it. */
_Noreturn static void run(const cai_watcher *watcher) {
  double deadline = cai_clock_now() + watcher->timeout;
  setsid();
  reset_signals();
  if (!arrange_descriptors(watcher)) {
    report(watcher->report, CAI_REPORT_UNSTARTED, errno);
    _exit(0);
  }
  pid_t program = plain_fork();
  if (program == 0)
    become_program(watcher);
  if (program < 0) {
    report(REPORT, CAI_REPORT_UNSTARTED, errno);
    _exit(0);
  }
  close(INPUT); /* so that the ends of its pipes are the program's alone */
  close(OUTPUT);
  close(ERRORS);
  watch(program, deadline);
  _exit(0);
}

int cai_watcher_start(const cai_watcher *watcher) {
  sigset_t all, before;
  sigfillset(&all);
  /* The host's handlers must not run in the copies, nor reap the first one before we do. */
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t first = plain_fork();
  int problem = first < 0 ? errno : 0;
  if (first == 0) {
    pid_t second = plain_fork();
    if (second == 0)
      run(watcher);
    if (second < 0)
      report(watcher->report, CAI_REPORT_UNSTARTED, errno);
    _exit(0);
  }
  if (first > 0)
    waitpid(first, NULL, 0); /* ECHILD where SIGCHLD is ignored, or when another thread was faster: gone is gone */
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return problem;
}
