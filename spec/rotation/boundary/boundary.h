/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOUNDARY_H
#define BOUNDARY_H

#include <stdbool.h>
#include <stddef.h>

/* A boundary is a moment right before this process does something that outlives it: changes a file or a folder, sends a
 * request, or takes in an answer. Whoever armed the library decides what happens at each; unarmed, or in a process that
 * was forked later, nothing does. One thread only. */

typedef enum {
  BOUNDARY_COUNT, /* nothing but counting */
  BOUNDARY_KILL,  /* SIGKILL to ourselves at the chosen boundary */
  BOUNDARY_FAIL,  /* the chosen operation on files fails */
  BOUNDARY_BREAK, /* so does every later one */
  BOUNDARY_FULL,  /* from the chosen boundary on the disk has no block left, as a real one that is full */
  BOUNDARY_SHORT, /* the chosen write writes half, and the next fails with ENOSPC */
  BOUNDARY_ASK    /* a line about each boundary but those of locks goes to a descriptor, and we go on when a byte comes
                     from another */
} boundary_action;

typedef enum {
  BOUNDARY_NETWORK, /* a request or an answer */
  BOUNDARY_GROWTH,  /* makes a file or a folder, or another name for one */
  BOUNDARY_WRITE,   /* writes bytes */
  BOUNDARY_FILE     /* any other operation on files */
} boundary_kind;

typedef struct {
  boundary_action action;
  long at;     /* the number of the chosen boundary, from 1 */
  int number;  /* errno for BOUNDARY_FAIL and BOUNDARY_BREAK */
  int out, in; /* descriptors for BOUNDARY_ASK */
} boundary_orders;

void boundary_arm(const boundary_orders *orders);

/* Boundaries since it was armed. */
long boundary_disarm(void);

bool boundary_is_armed(void);

/* Nothing is synced any more, as by a library that forgets to: fsync does nothing, and is no boundary. */
void boundary_forget_syncs(void);
bool boundary_forgets_syncs(void);

typedef enum { BOUNDARY_GO, BOUNDARY_FAILED, BOUNDARY_HALF } boundary_verdict;

/* A boundary: `what` is done to the file at `name`, of a folder's descriptor (AT_FDCWD: none). FAILED: the operation is
 * to fail with errno as set. HALF, for writes: only half is to be written. */
boundary_verdict boundary_meet(boundary_kind kind, const char *what, int folder, const char *name);

/* The same for an open file. `end`: how far a write reaches. */
boundary_verdict boundary_meet_open(boundary_kind kind, const char *what, int descriptor, long long end);

/* A lua_Alloc that only takes: what is freed stays where it is. */
void *boundary_allocate(void *unused, void *old, size_t old_size, size_t size);

/* The function that would have been called without us. */
void *boundary_next(const char *name);

#endif
