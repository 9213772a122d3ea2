/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_PROCESS_H
#define CAI_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

/* A program that runs beside the host: what it reads is given to it, what it writes is kept, and nothing here waits.
 * It ends when the program itself does, whatever that leaves running. A fork of the host only sees that it is lost. */
typedef struct cai_process cai_process;

/* How much is kept of what it writes, in bytes: the beginning of its standard output, the end of standard error. */
#define CAI_PROCESS_OUTPUT ((size_t)64 * 1024)
#define CAI_PROCESS_ERRORS ((size_t)4 * 1024)

typedef struct {
  const char *const *argv; /* the program's name, see cai_program_find, and its arguments; ends in NULL */
  const char *input;       /* for its standard input, which ends after it; wiped here once it is written */
  size_t input_length;
  const char *folder; /* absolute: where it runs, with argv[0] a name or an absolute path; NULL: the host's */
  double timeout;     /* seconds after which it and its process group are killed; CAI_NEVER: none */
} cai_process_options;

typedef enum {
  CAI_PROCESS_RUNNING = 0,
  CAI_PROCESS_EXITED,    /* value: exit status */
  CAI_PROCESS_KILLED,    /* value: the signal's number */
  CAI_PROCESS_TIMED_OUT, /* value: the signal's number */
  CAI_PROCESS_UNSTARTED, /* value: errno of what kept it from running */
  CAI_PROCESS_LOST       /* nobody knows */
} cai_process_state;

/* Starts a program: in a session of its own, with the host's environment but for the variables that hold a key
 * (watcher.c), with no other descriptors than 0, 1 and 2, all signals as at a program's start. NULL, and *problem:
 * errno of what failed; ENOENT and EACCES are about its file. Options are not needed afterwards. */
cai_process *cai_process_start(const cai_process_options *options, int *problem);

/* Moves what can be moved now; never waits. Whether the program has ended. */
bool cai_process_step(cai_process *process);

/* How the last step found it. */
cai_process_state cai_process_status(const cai_process *process, int *value);

/* What it has written so far, valid until the next step; `*cut`: and more, which was not kept. cai_process_output
 * gives NULL when out of memory. */
const char *cai_process_output(cai_process *process, size_t *length, bool *cut);
const char *cai_process_errors(const cai_process *process, size_t *length, bool *cut);

/* Has the program and its process group killed, soon. Does nothing once it has ended. */
void cai_process_kill(cai_process *process);

/* Likewise, and wipes and frees what is here. Accepts NULL. */
void cai_process_free(cai_process *process);

#endif
