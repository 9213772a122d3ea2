/* SPDX-License-Identifier: Apache-2.0 */
#include "filesystem.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#if defined(CAI_HAS_STATFS_TYPE)
#include <sys/vfs.h>
#elif defined(CAI_HAS_STATFS_NAME)
#include <sys/param.h>

#include <sys/mount.h>
#endif
#include <string.h>

#if defined(CAI_HAS_STATFS_TYPE)
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
#elif defined(CAI_HAS_STATFS_NAME) || defined(CAI_HAS_STATVFS_NAME)
/* macOS and the BSDs say a name: https://man.freebsd.org/cgi/man.cgi?query=statfs */
static const char *kind_of(const char *path) {
  static const char *const kinds[][2] = {
      {"tmpfs", "tmpfs"}, {"mfs", "ramfs"}, {"union", "overlay"}, {"unionfs", "overlay"}};
#if defined(CAI_HAS_STATFS_NAME)
  struct statfs facts;
  int result = statfs(path, &facts);
#else
  struct statvfs facts; /* NetBSD */
  int result = statvfs(path, &facts);
#endif
  for (size_t i = 0; result == 0 && i < sizeof kinds / sizeof kinds[0]; i++)
    if (strcmp(facts.f_fstypename, kinds[i][0]) == 0)
      return kinds[i][1];
  return "other";
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
#if defined(CAI_HAS_STATX_ATTR_IMMUTABLE)
  struct statx facts;
  return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_MODE, &facts) == 0 &&
         (facts.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0;
#elif defined(CAI_HAS_UF_IMMUTABLE) /* macOS, the BSDs */
  struct stat facts;
  return lstat(path, &facts) == 0 && (facts.st_flags & (UF_IMMUTABLE | UF_APPEND | SF_IMMUTABLE | SF_APPEND)) != 0;
#else
  (void)path;
  return false;
#endif
}
