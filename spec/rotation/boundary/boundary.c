/* SPDX-License-Identifier: Apache-2.0 */
#include "boundary.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
  boundary_orders orders;
  long count;
  pid_t owner; /* 0: not armed */
  bool was_short, forgets_syncs;
} self;

void boundary_arm(const boundary_orders *orders) {
  self.orders = *orders;
  self.count = 0;
  self.was_short = false;
  self.owner = getpid();
}

long boundary_disarm(void) {
  self.owner = 0;
  return self.count;
}

bool boundary_is_armed(void) {
  return self.owner != 0 && self.owner == getpid();
}

void boundary_forget_syncs(void) {
  self.forgets_syncs = true;
}

bool boundary_forgets_syncs(void) {
  return self.forgets_syncs;
}

void *boundary_next(const char *name) {
  void *function = dlsym(RTLD_NEXT, name);
  if (function == NULL)
    abort();
  return function;
}

/* The processes that the tests start besides must not be ours. */
__attribute__((constructor)) static void stay_alone(void) {
  unsetenv("LD_PRELOAD");
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;)
    pause();
}

/* The path of a name in a folder, as far as the system tells it. */
static void resolve(char *path, size_t size, int folder, const char *name) {
  char link[64], parent[PATH_MAX];
  if (folder == AT_FDCWD || name[0] == '/') {
    snprintf(path, size, "%s", name);
    return;
  }
  snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  ssize_t length = readlink(link, parent, sizeof parent - 1);
  parent[length < 0 ? 0 : length] = '\0';
  snprintf(path, size, "%s%s%s", parent, name[0] == '\0' ? "" : "/", name);
}

/* Locks leave no trace that counts: nobody is asked about them, which makes a third of all boundaries cheap. */
static bool is_lock(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash != NULL && (strcmp(slash, "/.lock") == 0 || strncmp(slash, "/.hold-", 7) == 0);
}

static void ask(const char *what, int folder, const char *name) {
  char path[2 * PATH_MAX], line[2 * PATH_MAX + 64], answer;
  ssize_t (*do_write)(int, const void *, size_t) = (ssize_t(*)(int, const void *, size_t))boundary_next("write");
  resolve(path, sizeof path, folder, name);
  if (is_lock(path))
    return;
  int length = snprintf(line, sizeof line, "%ld %ld %s %s\n", (long)self.owner, self.count, what, path);
  if (length > PIPE_BUF || do_write(self.orders.out, line, (size_t)length) != length ||
      read(self.orders.in, &answer, 1) != 1)
    die(); /* nobody is there any more */
}

/* Whether a full disk has room for it all the same: a file that is there, bytes within its blocks. */
static bool has_room(boundary_kind kind, int folder, const char *name, long long end) {
  struct stat facts;
  if (kind == BOUNDARY_GROWTH)
    return fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) == 0;
  return kind != BOUNDARY_WRITE || (fstat(folder, &facts) == 0 && end <= (long long)facts.st_blocks * 512);
}

static boundary_verdict fail(int number) {
  errno = number;
  return BOUNDARY_FAILED;
}

static boundary_verdict meet(boundary_kind kind, const char *what, int folder, const char *name, long long end) {
  const boundary_orders *orders = &self.orders;
  bool is_file = kind != BOUNDARY_NETWORK;
  self.count++;
  if (orders->action == BOUNDARY_ASK)
    ask(what, folder, name);
  if (orders->action == BOUNDARY_KILL && self.count == orders->at)
    die();
  if (!is_file)
    return BOUNDARY_GO;
  if (self.was_short && kind == BOUNDARY_WRITE) {
    self.was_short = false;
    return fail(ENOSPC);
  }
  if (orders->action == BOUNDARY_FULL && self.count >= orders->at && !has_room(kind, folder, name, end))
    return fail(ENOSPC);
  if ((orders->action == BOUNDARY_FAIL && self.count == orders->at) ||
      (orders->action == BOUNDARY_BREAK && self.count >= orders->at))
    return fail(orders->number);
  if (orders->action == BOUNDARY_SHORT && self.count == orders->at && kind == BOUNDARY_WRITE) {
    self.was_short = true;
    return BOUNDARY_HALF;
  }
  return BOUNDARY_GO;
}

boundary_verdict boundary_meet(boundary_kind kind, const char *what, int folder, const char *name) {
  return boundary_is_armed() ? meet(kind, what, folder, name, 0) : BOUNDARY_GO;
}

boundary_verdict boundary_meet_open(boundary_kind kind, const char *what, int descriptor, long long end) {
  struct stat facts;
  if (!boundary_is_armed() || fstat(descriptor, &facts) != 0 || !(S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode)))
    return BOUNDARY_GO;
  return meet(kind, what, descriptor, "", end);
}
