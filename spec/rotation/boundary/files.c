/* SPDX-License-Identifier: Apache-2.0 */
/* The functions by which files change, in place of the C library's. */
#include "boundary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define OURS __attribute__((visibility("default")))
#define NEXT(type, name) ((type)boundary_next(name))

static int open_next(const char *function, int folder, const char *path, int flags, mode_t mode) {
  if ((flags & O_CREAT) != 0 && boundary_meet(BOUNDARY_GROWTH, "open", folder, path) != BOUNDARY_GO)
    return -1;
  return NEXT(int (*)(int, const char *, int, ...), function)(folder, path, flags, mode);
}

/* The mode is there only with O_CREAT or O_TMPFILE; what va_arg reads otherwise is not used. */
#define MODE(last)                                                                                                     \
  va_list list;                                                                                                        \
  va_start(list, last);                                                                                                \
  mode_t mode = ((last)&O_CREAT) != 0 ? va_arg(list, mode_t) : 0;                                                      \
  va_end(list)

OURS int open(const char *path, int flags, ...) {
  MODE(flags);
  return open_next("openat", AT_FDCWD, path, flags, mode);
}

OURS int open64(const char *path, int flags, ...) {
  MODE(flags);
  return open_next("openat64", AT_FDCWD, path, flags, mode);
}

OURS int openat(int folder, const char *path, int flags, ...) {
  MODE(flags);
  return open_next("openat", folder, path, flags, mode);
}

OURS int openat64(int folder, const char *path, int flags, ...) {
  MODE(flags);
  return open_next("openat64", folder, path, flags, mode);
}

OURS ssize_t write(int descriptor, const void *bytes, size_t length) {
  struct stat facts;
  long long end = fstat(descriptor, &facts) == 0 ? (long long)facts.st_size + (long long)length : 0;
  boundary_verdict verdict = boundary_meet_open(BOUNDARY_WRITE, "write", descriptor, end);
  if (verdict == BOUNDARY_FAILED)
    return -1;
  return NEXT(ssize_t(*)(int, const void *, size_t), "write")(descriptor, bytes,
                                                              verdict == BOUNDARY_HALF ? length / 2 : length);
}

static ssize_t write_at(const char *function, int descriptor, const void *bytes, size_t length, off_t at) {
  boundary_verdict verdict = boundary_meet_open(BOUNDARY_WRITE, "write", descriptor, (long long)at + (long long)length);
  if (verdict == BOUNDARY_FAILED)
    return -1;
  return NEXT(ssize_t(*)(int, const void *, size_t, off_t),
              function)(descriptor, bytes, verdict == BOUNDARY_HALF ? length / 2 : length, at);
}

OURS ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t at) {
  return write_at("pwrite", descriptor, bytes, length, at);
}

OURS ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off_t at) {
  return write_at("pwrite64", descriptor, bytes, length, at);
}

OURS int ftruncate(int descriptor, off_t length) {
  if (boundary_meet_open(BOUNDARY_FILE, "truncate", descriptor, 0) != BOUNDARY_GO)
    return -1;
  return NEXT(int (*)(int, off_t), "ftruncate")(descriptor, length);
}

OURS int ftruncate64(int descriptor, off_t length) {
  return ftruncate(descriptor, length);
}

/* Armed, nothing is really synced: processes die here, not machines, and the harness knows what was synced. */
static int sync_next(const char *function, int descriptor) {
  if (boundary_forgets_syncs())
    return 0;
  if (boundary_meet_open(BOUNDARY_FILE, "sync", descriptor, 0) != BOUNDARY_GO)
    return -1;
  return boundary_is_armed() ? 0 : NEXT(int (*)(int), function)(descriptor);
}

OURS int fsync(int descriptor) {
  return sync_next("fsync", descriptor);
}

OURS int fdatasync(int descriptor) {
  return sync_next("fdatasync", descriptor);
}

OURS int renameat(int from_folder, const char *from, int to_folder, const char *to) {
  if (boundary_meet(BOUNDARY_FILE, "rename", to_folder, to) != BOUNDARY_GO)
    return -1;
  return NEXT(int (*)(int, const char *, int, const char *), "renameat")(from_folder, from, to_folder, to);
}

OURS int rename(const char *from, const char *to) {
  return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

/* The core calls renameat2 by its number. */
OURS long syscall(long number, ...) {
  long a[6];
  va_list list;
  va_start(list, number);
  for (int i = 0; i < 6; i++)
    a[i] = va_arg(list, long);
  va_end(list);
  if (number == SYS_renameat2 && boundary_meet(BOUNDARY_FILE, "rename", (int)a[2], (const char *)a[3]) != BOUNDARY_GO)
    return -1;
  return NEXT(long (*)(long, ...), "syscall")(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

OURS int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
  if (boundary_meet(BOUNDARY_GROWTH, "link", to_folder, to) != BOUNDARY_GO)
    return -1;
  return NEXT(int (*)(int, const char *, int, const char *, int), "linkat")(from_folder, from, to_folder, to, flags);
}

OURS int unlinkat(int folder, const char *path, int flags) {
  if (boundary_meet(BOUNDARY_FILE, "unlink", folder, path) != BOUNDARY_GO)
    return -1;
  return NEXT(int (*)(int, const char *, int), "unlinkat")(folder, path, flags);
}

OURS int unlink(const char *path) {
  return unlinkat(AT_FDCWD, path, 0);
}

OURS int mkdir(const char *path, mode_t mode) {
  if (boundary_meet(BOUNDARY_GROWTH, "mkdir", AT_FDCWD, path) != BOUNDARY_GO)
    return -1;
  return NEXT(int (*)(const char *, mode_t), "mkdir")(path, mode);
}

OURS int fchmod(int descriptor, mode_t mode) {
  if (boundary_meet_open(BOUNDARY_FILE, "chmod", descriptor, 0) != BOUNDARY_GO)
    return -1;
  return NEXT(int (*)(int, mode_t), "fchmod")(descriptor, mode);
}

OURS int fchown(int descriptor, uid_t owner, gid_t group) {
  if (boundary_meet_open(BOUNDARY_FILE, "chown", descriptor, 0) != BOUNDARY_GO)
    return -1;
  return NEXT(int (*)(int, uid_t, gid_t), "fchown")(descriptor, owner, group);
}

/* Files in memory are refused by the library, as a reboot loses them. These tests reboot nothing, and are several times
 * faster there: it passes for a disk. */
OURS int statfs(const char *path, struct statfs *facts) {
  int result = NEXT(int (*)(const char *, struct statfs *), "statfs")(path, facts);
  if (result == 0 && facts->f_type == 0x01021994)
    facts->f_type = 0xef53; /* ext4 */
  return result;
}
