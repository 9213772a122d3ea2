/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_FILESYSTEM_H
#define CAI_FILESYSTEM_H

#include "problem.h"

typedef struct {
  const char *kind; /* "tmpfs" (devtmpfs too), "ramfs", "overlay", or "other": all that matters here. Linux only */
  bool read_only;
  double free; /* bytes that this process may still write */
} cai_filesystem;

/* What the filesystem of a file or folder is. */
bool cai_filesystem_look(const char *path, cai_filesystem *filesystem, cai_problem *problem);

/* Whether a file may be neither renamed nor removed, whatever the permissions (chattr +i, +a). False where nobody
 * knows. A symbolic link is not followed. */
bool cai_filesystem_is_frozen(const char *path);

#endif
