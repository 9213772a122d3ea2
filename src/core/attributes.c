/* SPDX-License-Identifier: Apache-2.0 */
#include "attributes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(CAI_HAS_FCOPYFILE)
#include <copyfile.h>
#endif
#if defined(CAI_HAS_LGETXATTR)
#include <sys/xattr.h>

/* What Linux allows for the names of one file and for one value (https://man7.org/linux/man-pages/man7/xattr.7.html).*/
#define LARGEST 65536

/* A copy of the two arrays that the attributes pass through. */
typedef struct {
  char names[LARGEST], value[LARGEST], other[LARGEST];
} room;

/* Sums over the content, which the kernel makes itself for new content. */
static bool is_measurement(const char *name) {
  return strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0;
}

/* The names, each with its final NUL; -1: failed. 0 where the filesystem has no attributes. */
static ssize_t list(int descriptor, room *r) {
  ssize_t length = flistxattr(descriptor, r->names, sizeof r->names);
  return length < 0 && (cai_problem_is_lack(errno) || errno == ENOSYS) ? 0 : length;
}

/* An access control list that the folder gives to new files would be made effective by the mode. */
static bool drop_inherited(int from, int to, room *r) {
  ssize_t length = list(to, r);
  for (const char *name = r->names; length > 0 && name < r->names + length; name += strlen(name) + 1) {
    if (strcmp(name, "system.posix_acl_access") == 0 && fgetxattr(from, name, NULL, 0) < 0 && errno == ENODATA &&
        fremovexattr(to, name) != 0)
      return false;
  }
  return length >= 0;
}

static bool copy_one(int from, int to, const char *name, room *r) {
  ssize_t length = fgetxattr(from, name, r->value, sizeof r->value);
  if (length < 0)
    return errno == ENODATA; /* gone since it was listed */
  /* A security label is given to new files by the system, and not everybody may set the same again. */
  if (fgetxattr(to, name, r->other, sizeof r->other) == length && memcmp(r->value, r->other, (size_t)length) == 0)
    return true;
  return fsetxattr(to, name, r->value, (size_t)length, 0) == 0;
}

static bool copy_extended(int from, int to) {
  room *r = malloc(sizeof *r);
  bool done = r != NULL && drop_inherited(from, to, r);
  ssize_t length = done ? list(from, r) : 0;
  for (const char *name = done ? r->names : NULL; done && length > 0 && name < r->names + length;
       name += strlen(name) + 1)
    done = is_measurement(name) || copy_one(from, to, name, r);
  int number = errno;
  free(r);
  errno = number;
  return done && length >= 0;
}
#elif defined(CAI_HAS_FCOPYFILE) /* macOS */
static bool copy_extended(int from, int to) {
  return fcopyfile(from, to, NULL, COPYFILE_XATTR | COPYFILE_ACL) == 0;
}
#else
static bool copy_extended(int from, int to) {
  (void)from;
  (void)to;
  return true;
}
#endif

bool cai_attributes_copy(int from, int to, cai_problem *problem) {
  struct stat wanted, given;
  if (fstat(from, &wanted) != 0 || fstat(to, &given) != 0)
    return cai_problem_note(problem, "look at the attributes");
  if ((wanted.st_uid != given.st_uid || wanted.st_gid != given.st_gid) && fchown(to, wanted.st_uid, wanted.st_gid) != 0)
    return cai_problem_note(problem, "keep the owner and the group");
  if (!copy_extended(from, to))
    return cai_problem_note(problem, "keep the extended attributes");
  /* Last: a change of the owner resets bits of it, and with an access control list it sets that one's mask. */
  return fchmod(to, wanted.st_mode & 07777) == 0 || cai_problem_note(problem, "keep the mode");
}
