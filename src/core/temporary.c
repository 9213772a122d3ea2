/* SPDX-License-Identifier: Apache-2.0 */
#include "temporary.h"

#include "folder.h"
#include "random.h"
#include "sync.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names tried before it is the system's fault. */
#define TRIES 16

bool cai_descriptor_write(int descriptor, const char *bytes, size_t length, cai_problem *problem) {
  static const char zeros[4096];
  for (size_t done = 0; done < length;) {
    size_t left = length - done;
    ssize_t written = bytes != NULL ? pwrite(descriptor, bytes + done, left, (off_t)done)
                                    : pwrite(descriptor, zeros, left < sizeof zeros ? left : sizeof zeros, (off_t)done);
    if (written < 0 && errno != EINTR)
      return cai_problem_note(problem, "write");
    if (written == 0)
      return cai_problem_note_number(problem, "write", EIO);
    if (written > 0)
      done += (size_t)written;
  }
  return cai_sync(descriptor) || cai_problem_note(problem, "sync");
}

static bool choose_name(cai_temporary *temporary, cai_problem *problem) {
  uint64_t number;
  if (!cai_random_fill(&number, sizeof number))
    return cai_problem_note(problem, "name a temporary file");
  snprintf(temporary->name, sizeof temporary->name, CAI_TEMPORARY_PREFIX "%016" PRIx64, number);
  return true;
}

/* Locks a new file. A sweep may have come between its creation and this: false, it is to be given up. A filesystem
 * without locks is never swept, so that going on without one is safe. */
static bool lock_new(int descriptor) {
  struct stat facts;
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    return false;
  return fstat(descriptor, &facts) == 0 && facts.st_nlink > 0;
}

bool cai_temporary_make(int folder, cai_temporary *temporary, cai_problem *problem) {
  for (int i = 0; i < TRIES; i++) {
    temporary->descriptor = -1;
    if (!choose_name(temporary, problem))
      return false;
    int descriptor = openat(folder, temporary->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0 && errno != EEXIST)
      return cai_problem_note(problem, "create a temporary file");
    if (descriptor < 0)
      continue;
    if (!lock_new(descriptor)) {
      close(descriptor);
      continue;
    }
    temporary->descriptor = descriptor;
    if (fchmod(descriptor, 0600) == 0)
      return true;
    cai_problem ignored;
    cai_problem_note(problem, "set the mode of a temporary file");
    cai_temporary_discard(folder, temporary, &ignored);
    return false;
  }
  return cai_problem_note_number(problem, "create a temporary file", EEXIST);
}

bool cai_temporary_adopt(cai_temporary *temporary, const char *name, int descriptor) {
  size_t length = strlen(name);
  temporary->descriptor = -1;
  if (length >= sizeof temporary->name)
    return false;
  memcpy(temporary->name, name, length + 1);
  temporary->descriptor = descriptor;
  return true;
}

bool cai_temporary_rename(int folder, cai_temporary *temporary, cai_problem *problem) {
  cai_temporary renamed = {.descriptor = temporary->descriptor};
  if (!choose_name(&renamed, problem))
    return false;
  (void)flock(renamed.descriptor, LOCK_EX | LOCK_NB);
  if (renameat(folder, temporary->name, folder, renamed.name) != 0)
    return cai_problem_note(problem, "rename it");
  *temporary = renamed;
  return true;
}

/* The most that is overwritten, in bytes: more than any file of ours has. A sparse file may have any size. */
#define MOST_WIPED ((off_t)65 << 20)

/* Overwrites a file that nobody else has a name for. */
static bool wipe(int folder, const cai_temporary *temporary, cai_problem *problem) {
  struct stat facts, opened;
  if (fstat(temporary->descriptor, &facts) != 0)
    return cai_problem_note(problem, "look at a temporary file");
  if (facts.st_nlink != 1 || facts.st_size == 0)
    return true;
  if (fchmod(temporary->descriptor, 0600) != 0)
    return cai_problem_note(problem, "set the mode of a temporary file");
  int descriptor = openat(folder, temporary->name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return cai_problem_note(problem, "open a temporary file");
  bool done = fstat(descriptor, &opened) == 0 && opened.st_ino == facts.st_ino && opened.st_dev == facts.st_dev;
  if (!done)
    cai_problem_note_number(problem, "find a temporary file again", ESTALE);
  else
    done = cai_descriptor_write(descriptor, NULL, (size_t)(facts.st_size < MOST_WIPED ? facts.st_size : MOST_WIPED),
                                problem);
  close(descriptor);
  return done;
}

bool cai_temporary_discard(int folder, cai_temporary *temporary, cai_problem *problem) {
  bool done = wipe(folder, temporary, problem);
  if (unlinkat(folder, temporary->name, 0) != 0 && errno != ENOENT)
    done = cai_problem_note(problem, "remove a temporary file");
  cai_temporary_close(temporary);
  return done;
}

void cai_temporary_close(cai_temporary *temporary) {
  if (temporary->descriptor >= 0)
    close(temporary->descriptor);
  temporary->descriptor = -1;
}

/* Ours, or made by root and given to the owner of what it was to replace. */
static bool is_ours(int folder, const struct stat *facts) {
  return S_ISREG(facts->st_mode) &&
         (facts->st_uid == geteuid() || (geteuid() == 0 && cai_folder_vouches(folder, facts)));
}

static void sweep_one(int folder, const char *name) {
  struct stat opened, named;
  cai_problem ignored;
  cai_temporary found = {.descriptor = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)};
  if (found.descriptor < 0)
    return;
  snprintf(found.name, sizeof found.name, "%s", name);
  /* Under the lock, and still of that name: its writer did not get as far as the rename. */
  if (flock(found.descriptor, LOCK_EX | LOCK_NB) == 0 && fstat(found.descriptor, &opened) == 0 &&
      is_ours(folder, &opened) && fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
      named.st_ino == opened.st_ino && named.st_dev == opened.st_dev)
    cai_temporary_discard(folder, &found, &ignored);
  cai_temporary_close(&found);
}

static bool is_temporary_name(const char *name) {
  size_t prefix = sizeof CAI_TEMPORARY_PREFIX - 1;
  return strncmp(name, CAI_TEMPORARY_PREFIX, prefix) == 0 && strlen(name) == prefix + 16 &&
         strspn(name + prefix, "0123456789abcdef") == 16;
}

void cai_temporary_sweep(int folder) {
  int descriptor = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = descriptor < 0 ? NULL : fdopendir(descriptor);
  const struct dirent *entry;
  if (stream == NULL) {
    if (descriptor >= 0)
      close(descriptor);
    return;
  }
  while ((entry = readdir(stream)) != NULL) {
    if (is_temporary_name(entry->d_name))
      sweep_one(folder, entry->d_name);
  }
  closedir(stream);
}
