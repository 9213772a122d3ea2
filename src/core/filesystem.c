/* SPDX-License-Identifier: Apache-2.0 */
#include "filesystem.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#if defined(__linux__)
#include <sys/vfs.h>
#endif

#if defined(__linux__)
/* The numbers of https://man7.org/linux/man-pages/man2/statfs.2.html, which are in no header for programs. */
static const char *kind_of(const char *path) {
  struct statfs facts;
  if (statfs(path, &facts) != 0)
    return "other";
  switch ((unsigned long)facts.f_type & 0xffffffffUL) { /* sign-extended on some machines */
  case 0x01021994UL:
    return "tmpfs";
  case 0x858458f6UL:
    return "ramfs";
  case 0x794c7630UL:
    return "overlay";
  default:
    return "other";
  }
}
#else
static const char *kind_of(const char *path) {
  (void)path;
  return "other";
}
#endif

bool cai_filesystem_look(const char *path, cai_filesystem *filesystem, cai_problem *problem) {
  struct statvfs facts;
  if (statvfs(path, &facts) != 0)
    return cai_problem_note(problem, "look at the filesystem");
  *filesystem = (cai_filesystem){.kind = kind_of(path),
                                 .read_only = (facts.f_flag & ST_RDONLY) != 0,
                                 .free = (double)facts.f_bavail * (double)facts.f_frsize};
  return true;
}

bool cai_filesystem_is_frozen(const char *path) {
#if defined(STATX_ATTR_IMMUTABLE)
  struct statx facts;
  return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_MODE, &facts) == 0 &&
         (facts.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0;
#else
  (void)path;
  return false;
#endif
}
