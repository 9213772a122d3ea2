/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/clock.h"
#include "../../src/core/lock.h"
#include "check.h"
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static cai_problem problem;
static char holder[CAI_LOCK_HOLDER_SIZE];

static cai_lock_result take(cai_lock *lock, const char *name) {
  return cai_lock_take(lock, files_path(name), 0, holder, &problem);
}

static void two_locks_exclude_each_other(void) {
  cai_lock one, two;
  char wanted[64];
  umask(0);
  CHECK(take(&one, "lock") == CAI_LOCK_TAKEN);
  CHECK((files_facts("lock").st_mode & 07777) == 0600);
  CHECK((fcntl(one.descriptor, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(take(&two, "lock") == CAI_LOCK_HELD && two.descriptor < 0);
  snprintf(wanted, sizeof wanted, "process %ld on host ", (long)getpid());
  CHECK_CASE(strncmp(holder, wanted, strlen(wanted)) == 0, "%s", holder);
  cai_lock_release(&two, NULL); /* nothing */
  CHECK(take(&two, "lock") == CAI_LOCK_HELD);
  cai_lock_release(&one, NULL);
  cai_lock_release(&one, NULL);
  CHECK_TEXT(files_get("lock"), ""); /* nobody reads who held it once */
  CHECK(take(&two, "lock") == CAI_LOCK_TAKEN);
  cai_lock_release(&two, NULL);
}

static void one_is_waited_for(void) {
  cai_lock one, two;
  CHECK(take(&one, "lock") == CAI_LOCK_TAKEN);
  double began = cai_clock_now();
  CHECK(cai_lock_take(&two, files_path("lock"), 0.2, holder, &problem) == CAI_LOCK_HELD);
  CHECK(cai_clock_now() - began >= 0.2);
  pid_t child = fork();
  if (child == 0) {
    close(one.descriptor); /* its share of the parent's */
    _exit(cai_lock_take(&two, files_path("lock"), 20, holder, &problem) == CAI_LOCK_TAKEN ? 0 : 1);
  }
  usleep(50000);
  cai_lock_release(&one, NULL);
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void a_killed_holder_holds_nothing(void) {
  cai_lock lock;
  int ready[2];
  char byte;
  CHECK(pipe(ready) == 0);
  pid_t child = fork();
  if (child == 0) {
    bool taken = take(&lock, "killed") == CAI_LOCK_TAKEN;
    if (write(ready[1], "x", 1) != 1 || !taken)
      _exit(1);
    pause();
  }
  CHECK(read(ready[0], &byte, 1) == 1);
  CHECK(take(&lock, "killed") == CAI_LOCK_HELD);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  CHECK(take(&lock, "killed") == CAI_LOCK_TAKEN);
  cai_lock_release(&lock, NULL);
}

/* What a child that was forked by accident does to its copy must not end the parent's lock. */
static void a_forked_child_frees_only_its_share(void) {
  cai_lock lock, other;
  CHECK(take(&lock, "forked") == CAI_LOCK_TAKEN);
  pid_t child = fork();
  if (child == 0) {
    cai_lock_release(&lock, files_path("forked"));
    _exit(0);
  }
  waitpid(child, NULL, 0);
  CHECK(take(&other, "forked") == CAI_LOCK_HELD);
  CHECK(files_facts("forked").st_nlink == 1);
  child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  cai_lock_release(&lock, NULL); /* a release is one for all */
  CHECK(take(&other, "forked") == CAI_LOCK_TAKEN);
  cai_lock_release(&other, NULL);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

/* Eight processes, each of which removes the file that it held: never two at once. */
static void removing_the_file_lets_nobody_in_twice(void) {
  for (int i = 0; i < 8; i++) {
    if (fork() != 0)
      continue;
    for (int round = 0; round < 100; round++) {
      cai_lock lock;
      if (cai_lock_take(&lock, files_path("crowd"), 30, holder, &problem) != CAI_LOCK_TAKEN)
        _exit(1);
      if (mkdir(files_path("inside"), 0700) != 0 || rmdir(files_path("inside")) != 0)
        _exit(2);
      cai_lock_release(&lock, files_path("crowd"));
    }
    _exit(0);
  }
  int status;
  while (wait(&status) > 0)
    CHECK_CASE(status == 0, "status %d", WEXITSTATUS(status));
  CHECK(files_facts("crowd").st_nlink == 0);
}

static void a_folder_can_be_locked(void) {
  cai_lock lock, other;
  CHECK(mkdir(files_path("folder"), 0700) == 0);
  CHECK(take(&lock, "folder") == CAI_LOCK_TAKEN);
  CHECK(take(&other, "folder/.") == CAI_LOCK_HELD);
  CHECK_TEXT(holder, "another process");
  cai_lock_release(&lock, files_path("folder"));
  CHECK(S_ISDIR(files_facts("folder").st_mode));
  CHECK(take(&other, "folder/.") == CAI_LOCK_TAKEN);
  cai_lock_release(&other, NULL);
  CHECK(take(&other, "absent/.") == CAI_LOCK_FAILED && files_facts("absent").st_nlink == 0);
}

static void what_is_no_file_is_refused(void) {
  cai_lock lock;
  files_put("target", "", 0600);
  CHECK(symlink("target", files_path("symlink")) == 0 && mkfifo(files_path("fifo"), 0600) == 0);
  CHECK(take(&lock, "symlink") == CAI_LOCK_FAILED && problem.number == ELOOP && lock.descriptor < 0);
  CHECK(take(&lock, "fifo") == CAI_LOCK_FAILED && problem.number == EINVAL);
  CHECK(take(&lock, "no-folder/lock") == CAI_LOCK_FAILED && problem.number == ENOENT);
}

/* Its owner could hold it for ever. Only root can make one here. */
static void a_lock_file_of_another_user_is_refused(void) {
  cai_lock lock;
  files_put("foreign", "", 0666);
  if (chown(files_path("foreign"), 12, (gid_t)-1) != 0) {
    puts("chown: skipped");
    return;
  }
  CHECK(take(&lock, "foreign") == CAI_LOCK_FAILED && problem.number == EPERM && lock.descriptor < 0);
  CHECK((files_facts("foreign").st_mode & 07777) == 0666);
}

/* What another program has written there is not passed on as it is. */
static void a_holder_is_told_without_control_characters(void) {
  static const struct {
    const char *text, *told;
  } cases[] = {{"12 host\n", "process 12 on host host"},
               {"12 a\x1b[1m\n", "process 12 on host a?[1m"},
               {"", "another process"},
               {"12", "another process"},
               {"-1 host\n", "another process"},
               {"x host\n", "another process"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    cai_lock lock;
    files_put("told", cases[i].text, 0600);
    int descriptor = open(files_path("told"), O_RDONLY);
    CHECK(flock(descriptor, LOCK_EX) == 0);
    CHECK(take(&lock, "told") == CAI_LOCK_HELD);
    CHECK_TEXT(holder, cases[i].told);
    close(descriptor);
  }
}

int main(void) {
  if (!files_begin())
    return 1;
  two_locks_exclude_each_other();
  one_is_waited_for();
  a_killed_holder_holds_nothing();
  a_forked_child_frees_only_its_share();
  removing_the_file_lets_nobody_in_twice();
  a_folder_can_be_locked();
  what_is_no_file_is_refused();
  a_lock_file_of_another_user_is_refused();
  a_holder_is_told_without_control_characters();
  files_end();
  return check_end();
}
