/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_WATCHER_H
#define CAI_WATCHER_H

/* A program is not our child, but that of a watcher, a process which is nobody's child either: it starts the program,
 * waits for it, tells how it ended, and kills it at its time limit, when it is told to, or when we are gone. So
 * nothing depends on the host's ways with children: nginx reaps all of them in its handler of SIGCHLD, a host that
 * ignores SIGCHLD has them reaped by the system, a script may wait for any; and nothing is left to be reaped. */

typedef struct {
  const char *path;          /* of the program's file */
  char *const *argv;         /* ends in NULL */
  const char *folder;        /* where it runs; NULL: the host's */
  double timeout;            /* seconds; CAI_NEVER: none */
  int input, output, errors; /* the program's ends of pipes, for its descriptors 0, 1 and 2 */
  int report;                /* where a cai_report is written; end of file: the watcher is dead */
  int control;               /* a byte here, or its end of file, has the program and its group killed */
} cai_watcher;

typedef enum { CAI_REPORT_ENDED = 1, CAI_REPORT_TIMED_OUT, CAI_REPORT_UNSTARTED } cai_report_kind;

/* The first one counts. */
typedef struct {
  int kind;  /* cai_report_kind */
  int value; /* ENDED, TIMED_OUT: as from waitpid; UNSTARTED: errno */
} cai_report;

/* Starts one. Waits for nothing but two forks, which take the longer the more memory the host has (measured: 1 ms for a
 * bare Lua, 11 ms with 100 MB). All descriptors stay the caller's, to be closed at once but for its own
 * ends of the pipes. 0, or the errno of the first fork; what fails later is reported. */
int cai_watcher_start(const cai_watcher *watcher);

#endif
