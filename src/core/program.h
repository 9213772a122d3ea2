/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_PROGRAM_H
#define CAI_PROGRAM_H

#include <stddef.h>

/* Room for the path of a program, NUL included. */
#define CAI_PROGRAM_SIZE ((size_t)4096)

/* Where programs are looked for when there is no PATH, as in nginx, which takes its environment away. */
#define CAI_PROGRAM_PATH "/usr/local/bin:/usr/bin:/bin"

/* Finds the file of a program as execvp does: a name with a slash is a path, others are looked up in the folders of
 * `path` (NULL: CAI_PROGRAM_PATH). Unlike there, folders that are not absolute are passed over: what lies in the
 * current folder by chance should not get to see a secret (as https://pkg.go.dev/os/exec, ErrDot). 0, or an errno:
 * ENOENT, EACCES (there, but nothing that we may run), ENAMETOOLONG or what else stat says. */
int cai_program_find(const char *name, const char *path, char found[CAI_PROGRAM_SIZE]);

#endif
