/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPEC_SYSTEM_H
#define SPEC_SYSTEM_H

#include <stdbool.h>

/* Stands before the system calls that change files, in programs linked with `system` (CMakeLists.txt): one of them
 * fails, or ends the process as kill -9 would. For one thread. */

typedef enum { SYSTEM_FAIL, SYSTEM_DIE } system_action;

/* What happens at the n-th call from here on (1: the next); 0: nothing, and the count begins again. */
void system_at(long n, system_action action);

/* A failure's errno, EIO until it is set. */
void system_errno(int number);

/* Calls since, and the name of the one that failed; NULL: none has. */
long system_calls(void);
const char *system_failed(void);

/* From here on writes are interrupted by a signal every other time and write at most 3 bytes. */
void system_hinder_writes(bool hinder);

/* From here on the filesystem has no rename that refuses to replace. */
void system_lack_renameat2(bool lack);

#endif
