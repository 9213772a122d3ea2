/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/fork.h"
#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

/* Runs `check` in a child; its exit status is what it found. */
static bool child_says(bool (*check)(void)) {
  pid_t child = fork();
  if (child == 0)
    _exit(check() ? 0 : 1);
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool counts_one(void) {
  return cai_fork_count() == 1;
}

static bool counts_two(void) {
  return cai_fork_count() == 2;
}

static bool its_child_counts_two(void) {
  return counts_one() && child_says(counts_two) && counts_one();
}

int main(void) {
  cai_fork_watch();
  cai_fork_watch(); /* counts once all the same */
  CHECK(cai_fork_count() == 0);
  CHECK(child_says(counts_one));
  CHECK(child_says(its_child_counts_two));
  CHECK(cai_fork_count() == 0); /* the parent's count stays */
  return check_end();
}
