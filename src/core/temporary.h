/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_TEMPORARY_H
#define CAI_TEMPORARY_H

#include "problem.h"

#include <limits.h>
#include <stddef.h>

/* What the name of a temporary file begins with; 16 hexadecimal digits follow. */
#define CAI_TEMPORARY_PREFIX ".confidentai-"

/* A temporary file holds a secret while its writer lives. Its writer keeps it locked (flock) for that long, so that
 * whoever can lock one has found the leavings of a process that was killed. */
typedef struct {
  int descriptor; /* -1: none */
  char name[NAME_MAX + 1];
} cai_temporary;

/* Makes an empty one in the folder, mode 0600 whatever the umask, open for reading and writing. */
bool cai_temporary_make(int folder, cai_temporary *temporary, cai_problem *problem);

/* Makes the file `name`, open as `descriptor`, a temporary one under its own name: it is discarded or closed like any
 * other, but not swept. False: that is no name. */
bool cai_temporary_adopt(cai_temporary *temporary, const char *name, int descriptor);

/* Gives it a name by which it is swept, and locks it. False: it keeps the name that it has. */
bool cai_temporary_rename(int folder, cai_temporary *temporary, cai_problem *problem);

/* Overwrites, syncs and removes it. False: its content may be left on the disk; it is closed all the same. */
bool cai_temporary_discard(int folder, cai_temporary *temporary, cai_problem *problem);

/* Closes a file that has been renamed to where it belongs. */
void cai_temporary_close(cai_temporary *temporary);

/* Discards what killed processes left in the folder. What cannot be discarded stays. */
void cai_temporary_sweep(int folder);

/* Writes all bytes at an offset; a NULL `bytes` stands for zeros. Then syncs the file. */
bool cai_descriptor_write(int descriptor, const char *bytes, size_t length, cai_problem *problem);

#endif
