/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "allocator.h"
#include "running.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET "confident_us_org_0123456789abcdef"
#define LONG_INPUT ((size_t)300 * 1000)

static void its_input_comes_out(void) {
  cai_process *process = run_script("cat; echo grievance >&2", SECRET, CAI_NEVER);
  size_t length;
  bool cut;
  CHECK(ends(process));
  ended_as(process, CAI_PROCESS_EXITED, 0);
  says(process, SECRET);
  const char *errors = cai_process_errors(process, &length, &cut);
  CHECK(length == 10 && memcmp(errors, "grievance\n", 10) == 0 && !cut);
  cai_process_free(process);
}

static void no_input_is_an_end_of_file(void) {
  cai_process *process = run_script("cat; echo over", "", CAI_NEVER);
  CHECK(ends(process));
  says(process, "over\n");
  cai_process_free(process);
}

/* What a pipe does not hold goes by steps, and comes whole; what comes back is kept up to its cap. */
static void a_long_input_is_given_bit_by_bit(void) {
  char *input = malloc(LONG_INPUT + 1);
  memset(input, 'x', LONG_INPUT);
  input[LONG_INPUT] = '\0';
  cai_process *process = run_script("wc -c", input, CAI_NEVER);
  CHECK(ends(process));
  says(process, "300000\n");
  cai_process_free(process);
  process = run_script("cat", input, CAI_NEVER);
  CHECK(ends(process));
  ended_as(process, CAI_PROCESS_EXITED, 0);
  size_t length;
  bool cut;
  const char *output = cai_process_output(process, &length, &cut);
  CHECK(length == CAI_PROCESS_OUTPUT && cut && memcmp(output, input, length) == 0);
  cai_process_free(process);
  free(input);
}

static void output_of_just_the_cap_is_whole(void) {
  cai_process *process = run_script("head -c 65536 /dev/zero", "", CAI_NEVER);
  size_t length;
  bool cut;
  CHECK(ends(process));
  cai_process_output(process, &length, &cut);
  CHECK(length == CAI_PROCESS_OUTPUT && !cut);
  cai_process_free(process);
}

static void of_errors_the_end_is_kept(void) {
  static const char *const scripts[] = {
      "i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i + 1)); done", /* in many pieces */
      "{ i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i + 1)); done; } | dd bs=64k iflag=fullblock status=none "
      ">&2",
  };
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
    cai_process *process = run_script(scripts[i], "", CAI_NEVER);
    size_t length;
    bool cut;
    CHECK(ends(process));
    const char *errors = cai_process_errors(process, &length, &cut);
    CHECK(length == CAI_PROCESS_ERRORS && cut);
    CHECK(memcmp(errors + length - 20, "line 1998\nline 1999\n", 20) == 0);
    CHECK(memmem(errors, length, "line 1700\nline 1701\n", 20) != NULL);
    cai_process_free(process);
  }
}

static void its_end_is_told(void) {
  cai_process *process = run_script("exit 3", "", CAI_NEVER);
  int value;
  CHECK(cai_process_status(process, &value) == CAI_PROCESS_RUNNING);
  CHECK(ends(process));
  ended_as(process, CAI_PROCESS_EXITED, 3);
  CHECK(cai_process_step(process)); /* and stays */
  cai_process_kill(process);
  ended_as(process, CAI_PROCESS_EXITED, 3);
  cai_process_free(process);
  process = run_script("kill -TERM $$", "", CAI_NEVER);
  CHECK(ends(process));
  ended_as(process, CAI_PROCESS_KILLED, SIGTERM);
  cai_process_free(process);
}

static int problem_of(const char *name) {
  const char *const argv[] = {name, NULL};
  int problem = 0;
  cai_process_options options = {.argv = argv, .timeout = CAI_NEVER};
  CHECK(cai_process_start(&options, &problem) == NULL);
  return problem;
}

static void what_cannot_start_says_why(void) {
  char path[] = "/tmp/process_test_XXXXXX";
  int file = mkstemp(path);
  CHECK(write(file, "\x7f nothing", 9) == 9 && fchmod(file, 0700) == 0 && close(file) == 0);
  const char *const argv[] = {path, NULL};
  int problem = 0;
  cai_process_options options = {.argv = argv, .timeout = CAI_NEVER};
  cai_process *process = cai_process_start(&options, &problem); /* its file is fine, as far as one sees */
  CHECK(process != NULL && ends(process));
  ended_as(process, CAI_PROCESS_UNSTARTED, ENOEXEC);
  cai_process_free(process);
  CHECK(chmod(path, 0600) == 0);
  CHECK(problem_of(path) == EACCES);
  CHECK(problem_of("/tmp") == EACCES);
  CHECK(unlink(path) == 0);
  CHECK(problem_of(path) == ENOENT);
  CHECK(problem_of("process_test_no_such_program") == ENOENT);
}

static void one_that_reads_nothing_is_no_trouble(void) {
  char *input = malloc(LONG_INPUT + 1);
  memset(input, 'x', LONG_INPUT);
  input[LONG_INPUT] = '\0';
  cai_process *process = run_script("exec <&-; sleep 0.1; exit 7", input, CAI_NEVER);
  CHECK(ends(process)); /* SIGPIPE would have ended this test */
  ended_as(process, CAI_PROCESS_EXITED, 7);
  cai_process_free(process);
  free(input);
}

static void a_time_limit_ends_the_whole_group(void) {
  double before = cai_clock_now();
  cai_process *process = run_script("sleep 60 & echo $!; sleep 60", "", 0.3);
  long grandchild = first_number(process);
  CHECK(grandchild > 0 && ends(process));
  ended_as(process, CAI_PROCESS_TIMED_OUT, SIGKILL);
  CHECK(cai_clock_now() - before >= 0.3 && cai_clock_now() - before < 3);
  CHECK(goes_away(grandchild));
  cai_process_free(process);
}

static void one_that_ends_in_time_is_not_late(void) {
  cai_process *process = run_script("exit 1", "", 5);
  CHECK(ends(process));
  ended_as(process, CAI_PROCESS_EXITED, 1);
  cai_process_free(process);
}

/* More seconds than a time_t holds were none at all, and the program was killed at once. */
static void a_very_long_limit_is_none(void) {
  static const double limits[] = {1e9, 1e19, 1e300};
  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
    cai_process *process = run_script("sleep 0.1; exit 3", "", limits[i]);
    CHECK(ends(process));
    ended_as(process, CAI_PROCESS_EXITED, 3);
    cai_process_free(process);
  }
}

static void it_can_be_killed(void) {
  cai_process *process = run_script("sleep 60 & echo $!; sleep 60", "", CAI_NEVER);
  long grandchild = first_number(process);
  cai_process_kill(process);
  cai_process_kill(process);
  CHECK(ends(process));
  ended_as(process, CAI_PROCESS_KILLED, SIGKILL);
  CHECK(goes_away(grandchild));
  cai_process_free(process);
}

static void freeing_kills(void) {
  cai_process *process = run_script("echo $$; sleep 60", "", CAI_NEVER);
  long pid = first_number(process);
  cai_process_free(process);
  CHECK(goes_away(pid));
  cai_process_free(NULL);
}

static void what_it_leaves_running_holds_nobody(void) {
  double before = cai_clock_now();
  cai_process *process = run_script("(while :; do echo more >&2; sleep 0.01; done) & echo $!", "", CAI_NEVER);
  long descendant = first_number(process);
  CHECK(ends(process));
  ended_as(process, CAI_PROCESS_EXITED, 0);
  CHECK(cai_clock_now() - before < 3);
  CHECK(kill((pid_t)descendant, 0) == 0); /* it ended well: what it started is its own affair */
  kill((pid_t)descendant, SIGKILL);
  cai_process_free(process);
}

static void one_that_never_stops_writing_does_not_hold_a_step(void) {
  cai_process *process = run_script("cat /dev/zero & cat /dev/zero >&2", "", 5);
  for (int i = 0; i < 50; i++) {
    double before = cai_clock_now();
    CHECK(!cai_process_step(process));
    CHECK(cai_clock_now() - before < 0.5);
    rest(0.002);
  }
  cai_process_kill(process);
  CHECK(ends(process));
  cai_process_free(process);
}

/* As whatever is freed is looked through. */
static void secrets_are_wiped(void) {
  char *input = malloc(LONG_INPUT + sizeof SECRET);
  memset(input, 'x', LONG_INPUT);
  memcpy(input + LONG_INPUT, SECRET, sizeof SECRET);
  allocator_watch("0123456789abcdef");
  cai_process *process = run_script("tail -c 33 | tee /dev/stderr", input, CAI_NEVER);
  CHECK(ends(process));
  says(process, SECRET);
  cai_process_free(process);
  process = run_script("sleep 60", input, CAI_NEVER); /* never read */
  cai_process_free(process);
  CHECK(allocator_seen() == 0);
  allocator_watch(NULL);
  free(input);
}

static int open_descriptors(void) {
  int count = 0;
  for (int i = 0; i < 256; i++)
    count += fcntl(i, F_GETFD) >= 0;
  return count;
}

static void nothing_is_left_when_memory_runs_out(void) {
  char *input = malloc(LONG_INPUT);
  const char *const argv[] = {"true", NULL};
  cai_process_options options = {.argv = argv, .input = input, .input_length = LONG_INPUT, .timeout = CAI_NEVER};
  cai_process *process = NULL;
  int problem, descriptors = open_descriptors(), failures = 0;
  memset(input, 'x', LONG_INPUT);
  long alive = allocator_alive();
  for (long n = 1; process == NULL && n < 100; n++) {
    allocator_fail_from(n);
    process = cai_process_start(&options, &problem);
    failures += process == NULL;
    CHECK(process != NULL || (problem == ENOMEM && open_descriptors() == descriptors && allocator_alive() == alive));
  }
  allocator_fail_from(0);
  CHECK(process != NULL && failures == 2);
  cai_process_free(process);
  CHECK(allocator_alive() == alive && open_descriptors() == descriptors);
  process = run_script("echo lost", "", CAI_NEVER);
  allocator_fail_from(1);
  CHECK(ends(process));
  allocator_fail_from(0);
  size_t length;
  bool cut;
  cai_process_output(process, &length, &cut);
  CHECK(length == 0 && cut); /* it says so, and never passes a part off as the whole */
  cai_process_free(process);
  free(input);
}

/* At every pipe that may be the one too many. */
static void without_descriptors_it_says_so(void) {
  const char *const argv[] = {"true", NULL};
  cai_process_options options = {.argv = argv, .timeout = CAI_NEVER};
  struct rlimit before, less;
  int problem = 0;
  for (int i = 3; i < 256; i++) /* no gaps */
    close(i);
  int descriptors = open_descriptors();
  CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
  for (int room = 0; room < 10; room++) {
    less = (struct rlimit){.rlim_cur = (rlim_t)(descriptors + room), .rlim_max = before.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &less) == 0);
    CHECK(cai_process_start(&options, &problem) == NULL && problem == EMFILE);
    CHECK(open_descriptors() == descriptors);
  }
  less.rlim_cur = (rlim_t)(descriptors + 10); /* enough here, not for the watcher, which tells */
  CHECK(setrlimit(RLIMIT_NOFILE, &less) == 0);
  cai_process *process = cai_process_start(&options, &problem);
  CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(process != NULL && ends(process));
  ended_as(process, CAI_PROCESS_UNSTARTED, EMFILE);
  cai_process_free(process);
}

int main(void) {
  its_input_comes_out();
  no_input_is_an_end_of_file();
  a_long_input_is_given_bit_by_bit();
  output_of_just_the_cap_is_whole();
  of_errors_the_end_is_kept();
  its_end_is_told();
  what_cannot_start_says_why();
  one_that_reads_nothing_is_no_trouble();
  a_time_limit_ends_the_whole_group();
  one_that_ends_in_time_is_not_late();
  a_very_long_limit_is_none();
  it_can_be_killed();
  freeing_kills();
  what_it_leaves_running_holds_nobody();
  one_that_never_stops_writing_does_not_hold_a_step();
  secrets_are_wiped();
  nothing_is_left_when_memory_runs_out();
  without_descriptors_it_says_so();
  return check_end();
}
