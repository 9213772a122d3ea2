/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_LOCK_H
#define CAI_LOCK_H

#include "problem.h"

#include <sys/types.h>

/* Room for "process 123 on host x", NUL included. */
#define CAI_LOCK_HOLDER_SIZE 320

/* An exclusive lock (flock) on a file or a folder. It ends with its holder, however that ends. Two locks within one
 * process exclude each other too. A process forked from the holder without exec shares the lock and keeps it alive past
 * the holder's death, for as long as it does not release its copy; an exec gives it up. */
typedef struct {
  int descriptor; /* -1: not held */
  pid_t holder;
  bool is_file;
} cai_lock;

typedef enum { CAI_LOCK_TAKEN = 0, CAI_LOCK_HELD, CAI_LOCK_FAILED } cai_lock_result;

/* Tries for `seconds` (0: once), blocking the thread. A file that is not there is made, mode 0600, and the process and
 * the host are written into it; one that belongs to another user fails (EPERM). HELD: another holds it, and `holder`
 * says who, or "another process" if it does not. */
cai_lock_result cai_lock_take(cai_lock *lock, const char *path, double seconds, char holder[CAI_LOCK_HOLDER_SIZE],
                              cai_problem *problem);

/* Ends the lock. In a process forked from the holder it ends that process's share only. `path`: removes the file too;
 * NULL leaves it. Idempotent. */
void cai_lock_release(cai_lock *lock, const char *path);

#endif
