/* SPDX-License-Identifier: Apache-2.0 */
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long calls, chosen;
static system_action chosen_action;
static int failure = EIO;
static const char *failed;
static bool hindered, interrupted, lacking;

/* Whether this call fails. */
static bool fails(const char *name) {
  if (++calls != chosen)
    return false;
  if (chosen_action == SYSTEM_DIE)
    _exit(99);
  failed = name;
  errno = failure;
  return true;
}

int __real_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return fails("openat") ? -1 : __real_openat(folder, path, flags, mode);
}

ssize_t __real_pwrite(int descriptor, const void *bytes, size_t length, off_t at);
ssize_t __wrap_pwrite(int descriptor, const void *bytes, size_t length, off_t at);
ssize_t __wrap_pwrite(int descriptor, const void *bytes, size_t length, off_t at) {
  if (fails("pwrite"))
    return -1;
  if (hindered && (interrupted = !interrupted)) {
    errno = EINTR;
    return -1;
  }
  return __real_pwrite(descriptor, bytes, hindered && length > 3 ? 3 : length, at);
}

int __real_fsync(int descriptor);
int __wrap_fsync(int descriptor);
int __wrap_fsync(int descriptor) {
  return fails("fsync") ? -1 : __real_fsync(descriptor);
}

int __real_fchmod(int descriptor, mode_t mode);
int __wrap_fchmod(int descriptor, mode_t mode);
int __wrap_fchmod(int descriptor, mode_t mode) {
  return fails("fchmod") ? -1 : __real_fchmod(descriptor, mode);
}

int __real_ftruncate(int descriptor, off_t length);
int __wrap_ftruncate(int descriptor, off_t length);
int __wrap_ftruncate(int descriptor, off_t length) {
  return fails("ftruncate") ? -1 : __real_ftruncate(descriptor, length);
}

int __real_flock(int descriptor, int operation);
int __wrap_flock(int descriptor, int operation);
int __wrap_flock(int descriptor, int operation) {
  return fails("flock") ? -1 : __real_flock(descriptor, operation);
}

int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to) {
  return fails("renameat") ? -1 : __real_renameat(from_folder, from, to_folder, to);
}

int __real_unlinkat(int folder, const char *name, int flags);
int __wrap_unlinkat(int folder, const char *name, int flags);
int __wrap_unlinkat(int folder, const char *name, int flags) {
  return fails("unlinkat") ? -1 : __real_unlinkat(folder, name, flags);
}

/* renameat2: the only call of files that is made by number. */
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...) {
  va_list more;
  va_start(more, number);
  int from_folder = va_arg(more, int);
  const char *from = va_arg(more, const char *);
  int to_folder = va_arg(more, int);
  const char *to = va_arg(more, const char *);
  int flags = va_arg(more, int);
  va_end(more);
  if (number == SYS_renameat2 && lacking) {
    errno = EINVAL;
    return -1;
  }
  return fails("renameat2") ? -1 : __real_syscall(number, from_folder, from, to_folder, to, flags);
}

void system_at(long n, system_action action) {
  calls = 0;
  chosen = n;
  chosen_action = action;
  failed = NULL;
}

void system_errno(int number) {
  failure = number;
}

long system_calls(void) {
  return calls;
}

const char *system_failed(void) {
  return failed;
}

void system_hinder_writes(bool hinder) {
  hindered = hinder;
}

void system_lack_renameat2(bool lack) {
  lacking = lack;
}
