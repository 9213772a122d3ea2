/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPEC_FILES_H
#define SPEC_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* A folder for one test program, under $TMPDIR or /tmp, and what is to be known of its files. Paths are those of names
 * in it; the texts that these return are valid until the call after the next. */

/* Makes it; false: it cannot be made. */
bool files_begin(void);

/* Removes it and all that is in it. */
void files_end(void);

/* The path of a name. */
const char *files_path(const char *name);

/* Writes a file of this mode, by plain means. */
void files_put(const char *name, const char *text, mode_t mode);

/* Its content, up to 4095 bytes; NULL: there is none. */
const char *files_get(const char *name);

/* Its facts, not following symbolic links; st_nlink is 0 when it is not there. */
struct stat files_facts(const char *name);

/* How many names the folder has, and how many of them are of temporary files. */
int files_count(void);
int files_temporary(void);

/* The name of a temporary file in it; NULL: there is none. */
const char *files_any_temporary(void);

#endif
