/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/file.h"
#include "check.h"
#include "files.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRET "confident_us_org_0123456789abcdef"

static const cai_file_options plain, keeping = {.keep = true}, exclusive = {.exclusive = true};

static cai_problem problem;

static cai_file_result put(const char *name, const char *text, const cai_file_options *options) {
  return cai_file_write(files_path(name), text, strlen(text), options, &problem);
}

/* The content as read by the core, or what went wrong. */
static int read_back(const char *name, size_t limit, char text[64], struct stat *facts) {
  cai_buffer content;
  cai_buffer_init(&content, limit);
  bool done = cai_file_read(files_path(name), &content, facts, &problem);
  if (done && content.length < 64)
    snprintf(text, 64, "%.*s", (int)content.length, cai_buffer_join(&content));
  cai_buffer_clear(&content);
  return done ? 0 : problem.number;
}

static void a_file_is_read_up_to_its_limit(void) {
  char text[64];
  struct stat facts;
  files_put("read", "12345", 0640);
  CHECK(read_back("read", 5, text, &facts) == 0);
  CHECK_TEXT(text, "12345");
  CHECK(facts.st_size == 5 && (facts.st_mode & 07777) == 0640 && facts.st_nlink == 1);
  CHECK(read_back("read", 4, text, NULL) == EFBIG);
  CHECK(read_back("absent", 4, text, NULL) == ENOENT);
  files_put("read", "", 0640);
  CHECK(read_back("read", 0, text, NULL) == 0);
  CHECK_TEXT(text, "");
}

/* None of them may follow, block, or replace what is no regular file. */
static void what_is_no_regular_file_is_refused(void) {
  static const struct {
    const char *name;
    int reading, writing;
  } cases[] = {{"symlink", ELOOP, ELOOP}, {"folder", EISDIR, EISDIR}, {"fifo", EINVAL, EINVAL}};
  char text[64];
  files_put("target", "of the link", 0600);
  CHECK(symlink("target", files_path("symlink")) == 0);
  CHECK(mkdir(files_path("folder"), 0700) == 0 && mkfifo(files_path("fifo"), 0600) == 0);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct stat before = files_facts(cases[i].name);
    CHECK_CASE(read_back(cases[i].name, 100, text, NULL) == cases[i].reading, "%s", cases[i].name);
    CHECK_CASE(put(cases[i].name, SECRET, &plain) == CAI_FILE_FAILED && problem.number == cases[i].writing, "%s",
               cases[i].name);
    CHECK(put(cases[i].name, SECRET, &keeping) == CAI_FILE_FAILED);
    CHECK(cai_file_remove(files_path(cases[i].name), &problem) == CAI_FILE_FAILED);
    CHECK(files_facts(cases[i].name).st_ino == before.st_ino);
  }
  CHECK_TEXT(files_get("target"), "of the link");
  CHECK(put("folder/", SECRET, &plain) == CAI_FILE_FAILED && problem.number == EISDIR);
  CHECK(put("target/below", SECRET, &plain) == CAI_FILE_FAILED && problem.number == ENOTDIR);
  CHECK(files_temporary() == 0);
}

static void a_new_file_is_private_whatever_the_umask(void) {
  static const mode_t masks[] = {0, 022, 0777};
  for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
    mode_t before = umask(masks[i]);
    CHECK(put("private", "new", &plain) == CAI_FILE_DONE);
    CHECK_CASE((files_facts("private").st_mode & 07777) == 0600, "umask %o", (unsigned)masks[i]);
    CHECK(put("private-too", "new", &exclusive) == CAI_FILE_DONE);
    CHECK((files_facts("private-too").st_mode & 07777) == 0600);
    umask(before);
    unlink(files_path("private-too"));
  }
  files_put("private", "old", 0644);
  CHECK(put("private", "new", &plain) == CAI_FILE_DONE && (files_facts("private").st_mode & 07777) == 0600);
  CHECK_TEXT(files_get("private"), "new");
}

static void an_exclusive_file_is_made_once(void) {
  for (int lacking = 0; lacking < 2; lacking++) {
    system_lack_renameat2(lacking);
    unlink(files_path("once"));
    CHECK(put("once", "first", &exclusive) == CAI_FILE_DONE);
    CHECK(files_facts("once").st_nlink == 1);
    CHECK(put("once", "second", &exclusive) == CAI_FILE_FAILED && problem.number == EEXIST);
    CHECK_TEXT(files_get("once"), "first");
    CHECK(files_temporary() == 0);
  }
  system_lack_renameat2(false);
}

static void interrupted_and_short_writes_go_on(void) {
  system_hinder_writes(true);
  CHECK(put("hindered", SECRET, &plain) == CAI_FILE_DONE);
  CHECK_TEXT(files_get("hindered"), SECRET);
  CHECK(cai_file_remove(files_path("hindered"), &problem) == CAI_FILE_DONE);
  system_hinder_writes(false);
}

/* As a full disk, without one: the write stops short, then fails. */
static void a_file_that_does_not_fit_changes_nothing(void) {
  files_put("limited", "old", 0600);
  pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){10, 10});
    cai_file_result result = put("limited", SECRET, &plain);
    _exit(result == CAI_FILE_FAILED && problem.number == EFBIG && strcmp(problem.step, "write") == 0 ? 0 : 1);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK_TEXT(files_get("limited"), "old");
  CHECK(files_temporary() == 0);
}

static void a_rehearsal_changes_nothing(void) {
  const cai_file_options rehearsal = {.keep = true, .rehearse = true};
  files_put("rehearsed", "old", 0640);
  struct stat before = files_facts("rehearsed");
  int names = files_count();
  CHECK(put("rehearsed", SECRET, &rehearsal) == CAI_FILE_DONE);
  CHECK(put("rehearsed-new", SECRET, &rehearsal) == CAI_FILE_DONE);
  CHECK(files_count() == names && files_facts("rehearsed").st_ino == before.st_ino);
  CHECK_TEXT(files_get("rehearsed"), "old");
}

static void a_spare_is_written_in_place(void) {
  cai_file_options options = {.spare = "anywhere/spare"}; /* in the folder of the file, whatever it says before */
  files_put("spare", "0123456789", 0600);
  ino_t spare = files_facts("spare").st_ino;
  CHECK(put("spared", "01234567", &options) == CAI_FILE_DONE);
  CHECK(files_facts("spared").st_ino == spare && files_facts("spare").st_nlink == 0);
  CHECK_TEXT(files_get("spared"), "01234567");
  CHECK(put("spared", "no spare", &options) == CAI_FILE_DONE);
  CHECK_TEXT(files_get("spared"), "no spare");
  files_put("spare", "small", 0600);
  CHECK(put("spared", "larger than it", &options) == CAI_FILE_DONE && files_facts("spare").st_nlink == 1);
  CHECK_TEXT(files_get("spared"), "larger than it");
}

static void a_removed_file_is_overwritten(void) {
  char left[sizeof SECRET];
  static const char zeros[sizeof SECRET - 1];
  static const mode_t modes[] = {0600, 0400};
  for (size_t i = 0; i < 2; i++) {
    files_put("removed", SECRET, modes[i]);
    int descriptor = open(files_path("removed"), O_RDONLY);
    CHECK(cai_file_remove(files_path("removed"), &problem) == CAI_FILE_DONE);
    CHECK(files_facts("removed").st_nlink == 0 && files_temporary() == 0);
    CHECK(pread(descriptor, left, sizeof left, 0) == sizeof left - 1 && memcmp(left, zeros, sizeof zeros) == 0);
    close(descriptor);
  }
  CHECK(cai_file_remove(files_path("removed"), &problem) == CAI_FILE_DONE); /* it is gone already */
  CHECK(cai_file_remove(files_path("no-folder/removed"), &problem) == CAI_FILE_DONE);
  files_put("removed", SECRET, 0600);
  CHECK(link(files_path("removed"), files_path("other-name")) == 0);
  CHECK(cai_file_remove(files_path("removed"), &problem) == CAI_FILE_DONE);
  CHECK_TEXT(files_get("other-name"), SECRET); /* which is not ours to wipe */
}

/* The operations that the tests below go through call by call, each from "old" (or nothing) to SECRET (or nothing). */
typedef struct {
  const char *name, *before, *after;
  cai_file_options options;
} change;

static const change changes[] = {{"replace", "old", SECRET, {.keep = true}},
                                 {"make", NULL, SECRET, {.keep = false}},
                                 {"create", NULL, SECRET, {.exclusive = true}},
                                 {"spare", "old", SECRET, {.spare = "step-spare"}},
                                 {"remove", "old", NULL, {.keep = false}}};

static cai_file_result run(const change *c) {
  return c->after == NULL ? cai_file_remove(files_path("step"), &problem) : put("step", c->after, &c->options);
}

static void prepare(const change *c) {
  unlink(files_path("step"));
  unlink(files_path("step-spare"));
  if (c->before != NULL)
    files_put("step", c->before, 0600);
  if (c->options.spare != NULL)
    files_put("step-spare", SECRET SECRET, 0600);
}

static bool is_same(const char *a, const char *b) {
  return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void whatever_call_fails_the_result_is_true(void) {
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
    const change *c = &changes[i];
    int failures = 0, unknowns = 0;
    for (long n = 1;; n++) {
      prepare(c);
      system_at(n, SYSTEM_FAIL);
      cai_file_result result = run(c);
      const char *failed = system_failed();
      system_at(0, SYSTEM_FAIL);
      if (failed == NULL)
        break;
      const char *now = files_get("step");
      if (result == CAI_FILE_FAILED)
        CHECK_CASE(is_same(now, c->before), "%s, call %ld, %s", c->name, n, failed);
      else
        CHECK_CASE(is_same(now, c->after), "%s, call %ld, %s", c->name, n, failed);
      bool may_leave = strcmp(failed, "unlinkat") == 0;
      CHECK_CASE(may_leave || files_temporary() == 0, "%s, call %ld, %s: a file is left", c->name, n, failed);
      failures += result == CAI_FILE_FAILED;
      unknowns += result == CAI_FILE_UNKNOWN;
      CHECK(put("sweep", "", &plain) == CAI_FILE_DONE && files_temporary() == 0);
    }
    CHECK_CASE(failures >= (c->after == NULL ? 2 : 4) && unknowns >= 1, "%s: %d failures, %d unknown", c->name,
               failures, unknowns);
    CHECK(is_same(files_get("step"), c->after));
  }
}

static void whenever_it_is_killed_there_is_the_old_or_the_new(void) {
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
    const change *c = &changes[i];
    int left = 0, status = 0;
    for (long n = 1; WEXITSTATUS(status) != 7; n++) {
      prepare(c);
      pid_t child = fork();
      if (child == 0) {
        system_at(n, SYSTEM_DIE);
        run(c);
        _exit(7);
      }
      CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
      const char *now = files_get("step");
      CHECK_CASE(is_same(now, c->before) || is_same(now, c->after), "%s, call %ld: %s", c->name, n, now);
      left += files_temporary();
      CHECK(put("sweep", "", &plain) == CAI_FILE_DONE);
      CHECK_CASE(files_temporary() == 0, "%s, call %ld: a file is left", c->name, n);
    }
    CHECK_CASE(left > 0 || c->options.spare != NULL, "%s", c->name);
  }
}

/* The name that makes it a temporary file of ours costs space in a folder, of which there may be none. */
static void a_full_disk_keeps_nobody_from_removing(void) {
  int removed = 0;
  system_errno(ENOSPC);
  for (long n = 1;; n++) {
    files_put("step", SECRET, 0600);
    int descriptor = open(files_path("step"), O_RDONLY);
    system_at(n, SYSTEM_FAIL);
    cai_file_result result = cai_file_remove(files_path("step"), &problem);
    const char *failed = system_failed();
    system_at(0, SYSTEM_FAIL);
    if (failed != NULL && strcmp(failed, "renameat") == 0) {
      char first = 'x';
      CHECK(result == CAI_FILE_DONE && files_facts("step").st_nlink == 0);
      CHECK(pread(descriptor, &first, 1, 0) == 1 && first == '\0');
      removed++;
    }
    close(descriptor);
    if (failed == NULL)
      break;
    CHECK(put("sweep", "", &plain) == CAI_FILE_DONE);
  }
  system_errno(EIO);
  CHECK(removed == 1);
}

int main(void) {
  if (!files_begin())
    return 1;
  a_file_is_read_up_to_its_limit();
  what_is_no_regular_file_is_refused();
  a_new_file_is_private_whatever_the_umask();
  an_exclusive_file_is_made_once();
  interrupted_and_short_writes_go_on();
  a_file_that_does_not_fit_changes_nothing();
  a_rehearsal_changes_nothing();
  a_spare_is_written_in_place();
  a_removed_file_is_overwritten();
  whatever_call_fails_the_result_is_true();
  whenever_it_is_killed_there_is_the_old_or_the_new();
  a_full_disk_keeps_nobody_from_removing();
  files_end();
  return check_end();
}
