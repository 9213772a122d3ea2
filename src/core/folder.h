/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_FOLDER_H
#define CAI_FOLDER_H

#include "buffer.h"
#include "problem.h"

#include <sys/stat.h>

/* A name in an open folder: what happens to the path above meanwhile changes nothing. */
typedef struct {
  int folder; /* descriptor; -1: not open */
  const char *name;
} cai_entry;

/* Opens the folder of a path. `path` must outlive the entry; its last component need not exist and is not followed. */
bool cai_entry_open(cai_entry *entry, const char *path, cai_problem *problem);

/* Idempotent. Keeps errno. */
void cai_entry_close(cai_entry *entry);

/* Writes a folder's names down to the disk, as far as its filesystem knows how. */
bool cai_folder_sync(int folder, cai_problem *problem);

/* Returns true if a file of the folder, by its facts, can be used: it is ours, or that of the folder's owner, or nobody
 * but that one may make files there. In a folder of many, another user could have made it to be given a secret. */
bool cai_folder_vouches(int folder, const struct stat *file);

/* Makes a folder and those above it that are missing, each with mode 0700 whatever the umask, synced. One that is there
 * already is success and keeps its mode. */
bool cai_folder_make(const char *path, cai_problem *problem);

/* Appends the names in a folder to `names`, each with its final NUL, in no order, without "." and "..". */
bool cai_folder_list(const char *path, cai_buffer *names, cai_problem *problem);

#endif
