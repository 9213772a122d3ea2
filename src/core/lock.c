/* SPDX-License-Identifier: Apache-2.0 */
#include "lock.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HOST_SIZE 256

/* Opens a file, made if it is missing, or a folder. -1: noted. */
static int open_lock(const char *path, bool *is_file, cai_problem *problem) {
  struct stat facts;
  int descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
  if (descriptor < 0 && errno == EISDIR)
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0 || fstat(descriptor, &facts) != 0) {
    cai_problem_note(problem, "open the lock");
  } else if (!S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode)) {
    cai_problem_note_number(problem, "use it as a lock", EINVAL);
  } else if (S_ISREG(facts.st_mode) && facts.st_uid != geteuid()) {
    cai_problem_note_number(problem, "use a lock file of another user", EPERM); /* who could hold it for ever */
  } else {
    *is_file = S_ISREG(facts.st_mode);
    return descriptor;
  }
  if (descriptor >= 0)
    close(descriptor);
  return -1;
}

/* A holder may have removed the file that it had locked: then the path names another, or none. */
static bool is_still_there(int descriptor, const char *path) {
  struct stat opened, named;
  return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

/* Takes the holder's name away, as far as it can be. */
static void clear(const cai_lock *lock) {
  int result = ftruncate(lock->descriptor, 0);
  (void)result; /* who is told of a holder that has gone finds the lock free all the same */
}

/* Best effort: a full disk must not keep anybody from locking. */
static void sign(const cai_lock *lock) {
  char host[HOST_SIZE] = "", text[CAI_LOCK_HOLDER_SIZE];
  if (gethostname(host, sizeof host - 1) != 0)
    host[0] = '\0';
  int length = snprintf(text, sizeof text, "%ld %s\n", (long)lock->holder, host);
  if (fchmod(lock->descriptor, 0600) != 0 || ftruncate(lock->descriptor, 0) != 0 ||
      pwrite(lock->descriptor, text, (size_t)length, 0) != length)
    clear(lock);
}

static void read_holder(int descriptor, char holder[CAI_LOCK_HOLDER_SIZE]) {
  char text[HOST_SIZE + 32] = "", *rest;
  ssize_t length = pread(descriptor, text, sizeof text - 1, 0);
  long pid = length > 0 ? strtol(text, &rest, 10) : 0;
  snprintf(holder, CAI_LOCK_HOLDER_SIZE, "another process");
  if (pid <= 0 || *rest != ' ')
    return;
  char *host = rest + 1;
  host[strcspn(host, "\n")] = '\0';
  for (char *at = host; *at != '\0'; at++) {
    if ((unsigned char)*at < 0x20 || *at == 0x7f)
      *at = '?';
  }
  snprintf(holder, CAI_LOCK_HOLDER_SIZE, "process %ld on host %s", pid, host);
}

cai_lock_result cai_lock_take(cai_lock *lock, const char *path, double seconds, char holder[CAI_LOCK_HOLDER_SIZE],
                              cai_problem *problem) {
  static const struct timespec pause = {.tv_nsec = 1000000};
  double end = cai_clock_now() + seconds;
  *lock = (cai_lock){.descriptor = -1};
  for (;;) {
    bool is_file;
    int descriptor = open_lock(path, &is_file, problem);
    if (descriptor < 0)
      return CAI_LOCK_FAILED;
    bool locked = flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    if (locked && is_still_there(descriptor, path)) {
      *lock = (cai_lock){.descriptor = descriptor, .holder = getpid(), .is_file = is_file};
      if (is_file)
        sign(lock);
      return CAI_LOCK_TAKEN;
    }
    if (!locked && errno != EWOULDBLOCK && errno != EINTR) {
      cai_problem_note(problem, "lock it");
      close(descriptor);
      return CAI_LOCK_FAILED;
    }
    bool over = !locked && cai_clock_now() >= end;
    if (over)
      read_holder(is_file ? descriptor : -1, holder);
    close(descriptor);
    if (over)
      return CAI_LOCK_HELD;
    if (!locked)
      nanosleep(&pause, NULL);
  }
}

void cai_lock_release(cai_lock *lock, const char *path) {
  if (lock->descriptor < 0)
    return;
  /* In a forked child LOCK_UN, or the removal, would end the parent's lock. */
  if (lock->holder == getpid()) {
    if (lock->is_file)
      clear(lock);
    if (lock->is_file && path != NULL)
      unlink(path);
    flock(lock->descriptor, LOCK_UN);
  }
  close(lock->descriptor);
  lock->descriptor = -1;
}
