/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_FILE_H
#define CAI_FILE_H

#include "buffer.h"
#include "problem.h"

#include <stddef.h>
#include <sys/stat.h>

/* Durable files: what is said to be written has reached the disk, the folder's entry included, and at no instant is
 * there anything but the old or the new content. None of these follow a symbolic link in the last component; all of
 * them deal with regular files only. */

typedef enum {
  CAI_FILE_DONE = 0,
  CAI_FILE_FAILED, /* certainly nothing has changed */
  CAI_FILE_UNKNOWN /* it has changed, but may be lost if the machine stops now; or a wiped file was not wiped */
} cai_file_result;

typedef struct {
  bool keep;      /* owner, group, mode and extended attributes of what is there; otherwise mode 0600 */
  bool exclusive; /* fail with EEXIST when something is there */
  bool rehearse;  /* do everything but the rename, and remove the temporary file again */
  /* Path of a file in the same folder to overwrite and rename, so that no space is needed. One that is missing or too
   * small is left alone, and a temporary file is made as ever. It is gone afterwards, whatever happens. NULL: none. */
  const char *spare;
} cai_file_options;

/* Reads a file into `content`, up to its limit; more is EFBIG. `facts` may be NULL. On failure what was read may be in
 * `content`. */
bool cai_file_read(const char *path, cai_buffer *content, struct stat *facts, cai_problem *problem);

/* Puts a file of this content in place of what is there, or of nothing. Leavings of killed processes in the folder are
 * swept first. */
cai_file_result cai_file_write(const char *path, const char *bytes, size_t length, const cai_file_options *options,
                               cai_problem *problem);

/* Overwrites and removes a file; one that is not there is done. The name goes first, so that nobody reads a half-wiped
 * file under it. A file of several names only loses this one. */
cai_file_result cai_file_remove(const char *path, cai_problem *problem);

#endif
