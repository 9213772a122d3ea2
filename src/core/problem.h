/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_PROBLEM_H
#define CAI_PROBLEM_H

#include <stdbool.h>

/* Why something that was asked of the operating system was not done. */
typedef struct {
  const char *step; /* what failed, in words that follow "cannot": "open the folder"; static */
  int number;       /* the errno */
} cai_problem;

/* Notes a step that failed with the current errno. Always false, to be returned. */
bool cai_problem_note(cai_problem *problem, const char *step);

/* The same with a number of one's own. */
bool cai_problem_note_number(cai_problem *problem, const char *step, int number);

/* Whether an errno says that a filesystem has no such thing: two do, which are one on Linux and FreeBSD only. */
bool cai_problem_is_lack(int number);

/* The symbolic name of an errno, "ENOENT"; "errno" for those that files do not meet. */
const char *cai_problem_name(int number);

#endif
