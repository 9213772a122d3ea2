/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether a path is a file that may be run. 0 or an errno. */
static int look_at(const char *path) {
  struct stat about;
  if (stat(path, &about) != 0)
    return errno;
  if (!S_ISREG(about.st_mode) || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0)
    return EACCES;
  return 0;
}

/* Looks in a folder, whose path has `length` bytes. */
static int look_in(const char *folder, size_t length, const char *name, char found[CAI_PROGRAM_SIZE]) {
  int written = snprintf(found, CAI_PROGRAM_SIZE, "%.*s/%s", (int)length, folder, name);
  if (written < 0 || (size_t)written >= CAI_PROGRAM_SIZE)
    return ENAMETOOLONG;
  return look_at(found);
}

int cai_program_find(const char *name, const char *path, char found[CAI_PROGRAM_SIZE]) {
  if (*name == '\0')
    return ENOENT;
  if (strchr(name, '/') != NULL) {
    if (strlen(name) >= CAI_PROGRAM_SIZE)
      return ENAMETOOLONG;
    memcpy(found, name, strlen(name) + 1);
    return look_at(found);
  }
  int problem = ENOENT;
  for (const char *folder = path == NULL ? CAI_PROGRAM_PATH : path; *folder != '\0';) {
    size_t length = strcspn(folder, ":");
    int here = length < CAI_PROGRAM_SIZE && *folder == '/' ? look_in(folder, length, name, found) : ENOENT;
    if (here == 0)
      return 0;
    if (here == EACCES)
      problem = EACCES;
    folder += length + (folder[length] == ':');
  }
  return problem;
}
