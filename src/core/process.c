/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include "buffer.h"
#include "fork.h"
#include "program.h"
#include "secret.h"
#include "sigpipe.h"
#include "watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A step reads no more than this of each stream, so that a program that never stops writing does not hold the host.
 * Together more than a pipe holds (64 KiB, man 7 pipe): the step that finds the program ended gets all it wrote. */
#define READ_SIZE ((size_t)8 * 1024)
#define READS 32

enum { INPUT = 0, OUTPUT, ERRORS, REPORT, CONTROL, PIPES };

struct cai_process {
  int ends[PIPES]; /* ours of each pipe; -1: closed */
  unsigned forks;  /* when it was started */
  cai_process_state state;
  int value;
  cai_secret *input; /* what did not fit the pipe at once, or NULL */
  size_t written;    /* of that */
  cai_buffer output;
  bool output_cut, errors_cut;
  size_t errors_length;
  char errors[CAI_PROCESS_ERRORS];
};

static void close_end(int *end) {
  if (*end >= 0)
    close(*end);
  *end = -1;
}

static void forget_input(cai_process *process) {
  cai_secret_free(process->input);
  process->input = NULL;
  close_end(&process->ends[INPUT]);
}

static void finish(cai_process *process, cai_process_state state, int value) {
  process->state = state;
  process->value = value;
}

/* A pipe that closes on exec. False: none is left. */
static bool open_pipe(int pair[2]) {
#if defined(CAI_HAS_PIPE2)
  return pipe2(pair, O_CLOEXEC) == 0;
#else
  if (pipe(pair) != 0)
    return false;
  fcntl(pair[0], F_SETFD, FD_CLOEXEC);
  fcntl(pair[1], F_SETFD, FD_CLOEXEC);
  return true;
#endif
}

/* What we write to raises no SIGPIPE, where that can be had: see sockets.c. */
static void keep_quiet(int descriptor) {
#if defined(F_SETNOSIGPIPE)
  fcntl(descriptor, F_SETNOSIGPIPE, 1);
#else
  (void)descriptor;
#endif
}

/* Makes the pipes. False: none is left; some may be open. */
static bool open_pipes(cai_process *process, int theirs[PIPES]) {
  for (int i = 0; i < PIPES; i++) {
    int pair[2], ours = i == INPUT || i == CONTROL ? 1 : 0;
    if (!open_pipe(pair))
      return false;
    process->ends[i] = pair[ours];
    theirs[i] = pair[1 - ours];
    fcntl(pair[ours], F_SETFL, O_NONBLOCK);
    keep_quiet(pair[ours]);
  }
  return true;
}

/* Writes input as far as the pipe takes it, which is all, but for very long ones: then the program gets it whatever
 * becomes of us. Before it starts, so that nobody can have closed the other end. False: out of memory. */
static bool give_input(cai_process *process, const char *input, size_t length) {
  ssize_t written = length > 0 ? write(process->ends[INPUT], input, length) : 0;
  size_t taken = written < 0 ? 0 : (size_t)written;
  if (taken < length) {
    process->input = cai_secret_new(input + taken, length - taken);
    return process->input != NULL;
  }
  close_end(&process->ends[INPUT]);
  return true;
}

/* 0 or an errno. */
static int start(cai_process *process, const cai_process_options *options, const char *path, int theirs[PIPES]) {
  if (!open_pipes(process, theirs))
    return errno;
  if (!give_input(process, options->input, options->input_length))
    return ENOMEM;
  cai_watcher watcher = {.path = path,
                         .argv = (char *const *)options->argv,
                         .folder = options->folder,
                         .timeout = options->timeout,
                         .input = theirs[INPUT],
                         .output = theirs[OUTPUT],
                         .errors = theirs[ERRORS],
                         .report = theirs[REPORT],
                         .control = theirs[CONTROL]};
  return cai_watcher_start(&watcher);
}

cai_process *cai_process_start(const cai_process_options *options, int *problem) {
  char path[CAI_PROGRAM_SIZE];
  int theirs[PIPES];
  const char *name = options->argv[0];
  bool is_elsewhere = options->folder != NULL && name[0] != '/' && strchr(name, '/') != NULL;
  *problem = is_elsewhere ? EINVAL : cai_program_find(name, getenv("PATH"), path);
  if (*problem != 0)
    return NULL;
  cai_process *process = malloc(sizeof *process);
  if (process == NULL) {
    *problem = ENOMEM;
    return NULL;
  }
  cai_fork_watch();
  *process = (cai_process){.forks = cai_fork_count()};
  cai_buffer_init(&process->output, CAI_PROCESS_OUTPUT);
  for (int i = 0; i < PIPES; i++)
    process->ends[i] = theirs[i] = -1;
  *problem = start(process, options, path, theirs);
  for (int i = 0; i < PIPES; i++)
    close_end(&theirs[i]);
  if (*problem == 0)
    return process;
  cai_process_free(process);
  return NULL;
}

static void feed(cai_process *process) {
  cai_sigpipe held;
  if (process->input == NULL)
    return;
  const char *rest = process->input->bytes + process->written;
  cai_sigpipe_hold(&held);
  ssize_t written = write(process->ends[INPUT], rest, process->input->length - process->written);
  int problem = errno;
  cai_sigpipe_release(&held);
  if (written >= 0)
    process->written += (size_t)written;
  /* A program that reads no more has what it wants: how it ends says whether it was enough. */
  if (process->written == process->input->length || (written < 0 && problem != EAGAIN && problem != EINTR))
    forget_input(process);
}

static void keep_output(cai_process *process, const char *bytes, size_t length) {
  size_t room = process->output.limit - process->output.length;
  size_t kept = length < room ? length : room;
  if (cai_buffer_append(&process->output, bytes, kept) != CAI_BUFFER_OK || kept < length)
    process->output_cut = true;
}

static void keep_errors(cai_process *process, const char *bytes, size_t length) {
  size_t dropped = 0; /* of the oldest */
  if (process->errors_length + length > CAI_PROCESS_ERRORS)
    dropped = process->errors_length + length - CAI_PROCESS_ERRORS;
  if (dropped > 0)
    process->errors_cut = true;
  if (dropped >= process->errors_length) {
    bytes += dropped - process->errors_length;
    length -= dropped - process->errors_length;
    process->errors_length = 0;
  } else {
    process->errors_length -= dropped;
    memmove(process->errors, process->errors + dropped, process->errors_length);
  }
  memcpy(process->errors + process->errors_length, bytes, length);
  process->errors_length += length;
}

/* Reads a stream as far as it goes, within a step's bound. */
static void drain(cai_process *process, int which, void (*keep)(cai_process *, const char *, size_t)) {
  char bytes[READ_SIZE];
  for (int i = 0; i < READS && process->ends[which] >= 0; i++) {
    ssize_t got = read(process->ends[which], bytes, sizeof bytes);
    if (got > 0) {
      keep(process, bytes, (size_t)got);
    } else if (got == 0) {
      close_end(&process->ends[which]);
    } else if (errno != EINTR) {
      break;
    }
  }
  cai_wipe(bytes, sizeof bytes);
}

static void interpret(cai_process *process, const cai_report *report) {
  bool exited = WIFEXITED(report->value);
  int value = exited ? WEXITSTATUS(report->value) : WTERMSIG(report->value);
  if (report->kind == CAI_REPORT_UNSTARTED)
    finish(process, CAI_PROCESS_UNSTARTED, report->value);
  else if (report->kind == CAI_REPORT_TIMED_OUT)
    finish(process, CAI_PROCESS_TIMED_OUT, value);
  else
    finish(process, exited ? CAI_PROCESS_EXITED : CAI_PROCESS_KILLED, value);
}

static void read_report(cai_process *process) {
  cai_report report;
  ssize_t got = read(process->ends[REPORT], &report, sizeof report);
  if (got == (ssize_t)sizeof report)
    interpret(process, &report);
  else if (got >= 0 || (errno != EAGAIN && errno != EINTR))
    finish(process, CAI_PROCESS_LOST, 0);
}

static void close_all(cai_process *process) {
  forget_input(process);
  for (int i = 0; i < PIPES; i++)
    close_end(&process->ends[i]);
}

static bool is_inherited(const cai_process *process) {
  return process->forks != cai_fork_count();
}

bool cai_process_step(cai_process *process) {
  if (process->state != CAI_PROCESS_RUNNING)
    return true;
  if (is_inherited(process)) {
    finish(process, CAI_PROCESS_LOST, 0); /* its pipes are the parent's to read */
  } else {
    feed(process);
    read_report(process); /* before the streams: once it has ended, they hold all it wrote */
    drain(process, OUTPUT, keep_output);
    drain(process, ERRORS, keep_errors);
  }
  if (process->state != CAI_PROCESS_RUNNING)
    close_all(process);
  return process->state != CAI_PROCESS_RUNNING;
}

cai_process_state cai_process_status(const cai_process *process, int *value) {
  *value = process->value;
  return process->state;
}

const char *cai_process_output(cai_process *process, size_t *length, bool *cut) {
  *length = process->output.length;
  *cut = process->output_cut;
  return cai_buffer_join(&process->output);
}

const char *cai_process_errors(const cai_process *process, size_t *length, bool *cut) {
  *length = process->errors_length;
  *cut = process->errors_cut;
  return process->errors;
}

void cai_process_kill(cai_process *process) {
  cai_sigpipe held;
  if (process->state != CAI_PROCESS_RUNNING || is_inherited(process))
    return;
  cai_sigpipe_hold(&held);
  ssize_t written = write(process->ends[CONTROL], "", 1);
  (void)written; /* nobody reads it: the program has ended, or lost its watcher and ends with it */
  cai_sigpipe_release(&held);
}

void cai_process_free(cai_process *process) {
  if (process == NULL)
    return;
  if (process->ends[CONTROL] >= 0)
    cai_process_kill(process);
  close_all(process);
  cai_buffer_clear(&process->output);
  cai_wipe(process->errors, sizeof process->errors);
  free(process);
}
