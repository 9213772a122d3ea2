/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/attributes.h"
#include "../../src/core/file.h"
#include "check.h"
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(CAI_HAS_LGETXATTR)
#include <sys/xattr.h>
#endif

static cai_problem problem;
static const cai_file_options keeping = {.keep = true}, plain;

static cai_file_result replace(const cai_file_options *options) {
  return cai_file_write(files_path("file"), "new", 3, options, &problem);
}

static void modes_are_kept(void) {
  static const mode_t modes[] = {0600, 0400, 0640, 0644, 0440, 0666, 0};
  for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
    mode_t mask = umask(i % 2 == 0 ? 0 : 0777);
    files_put("file", "old", modes[i]);
    CHECK_CASE(replace(&keeping) == CAI_FILE_DONE || (modes[i] == 0 && geteuid() != 0), "%o", (unsigned)modes[i]);
    CHECK_CASE((files_facts("file").st_mode & 07777) == modes[i], "%o", (unsigned)modes[i]);
    umask(mask);
  }
}

static void owners_are_kept_by_who_may(void) {
  if (geteuid() != 0) {
    puts("owners: skipped, this needs root");
    return;
  }
  files_put("file", "old", 0640);
  CHECK(chown(files_path("file"), 12, 34) == 0);
  CHECK(replace(&keeping) == CAI_FILE_DONE);
  struct stat facts = files_facts("file");
  CHECK(facts.st_uid == 12 && facts.st_gid == 34 && (facts.st_mode & 07777) == 0640);
  CHECK_TEXT(files_get("file"), "new");
  CHECK(replace(&plain) == CAI_FILE_DONE && files_facts("file").st_uid == 0);
}

/* Somebody else's file, in a folder that one may write to. */
static void an_owner_that_cannot_be_kept_is_a_failure(void) {
  if (geteuid() != 0)
    return;
  files_put("file", "old", 0644);
  CHECK(chown(files_path("file"), 12, 34) == 0 && chown(files_path("."), 12, 0) == 0);
  CHECK(chmod(files_path("."), 0777) == 0);
  pid_t child = fork();
  if (child == 0) {
    bool as_nobody = setgid(65534) == 0 && setuid(65534) == 0;
    bool failed = replace(&keeping) == CAI_FILE_FAILED && problem.number == EPERM;
    _exit(as_nobody && failed && strcmp(problem.step, "keep the owner and the group") == 0 ? 0 : 1);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK_TEXT(files_get("file"), "old");
  CHECK(files_temporary() == 0 && chmod(files_path("."), 0700) == 0 && chown(files_path("."), 0, 0) == 0);
}

/* Another user has made the file in a folder of many, to be given what is written to it. */
static void the_file_of_another_user_is_given_nothing(void) {
  static const struct {
    uid_t file, folder;
    mode_t mode;
    bool refused;
  } cases[] = {{12, 0, 01777, true}, {12, 0, 0777, true},    {12, 0, 0770, true},  {12, 13, 01777, true},
               {12, 0, 0755, false}, {12, 12, 01777, false}, {0, 12, 01777, false}};
  if (geteuid() != 0)
    return;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    files_put("file", "", 0600);
    CHECK(chown(files_path("file"), cases[i].file, 34) == 0 && chown(files_path("."), cases[i].folder, 0) == 0);
    CHECK(chmod(files_path("."), cases[i].mode) == 0);
    cai_file_result result = replace(&keeping);
    CHECK_CASE((result == CAI_FILE_FAILED) == cases[i].refused, "case %zu", i);
    CHECK(!cases[i].refused || (problem.number == EPERM && strcmp(problem.step, "trust its owner") == 0));
    CHECK_CASE(files_temporary() == 0 && (files_facts("file").st_size == 0) == cases[i].refused, "case %zu", i);
  }
  CHECK(chmod(files_path("."), 0700) == 0 && chown(files_path("."), 0, 0) == 0);
}

#if defined(CAI_HAS_LGETXATTR)
static void extended_attributes_are_kept(void) {
  char value[32] = "";
  files_put("file", "old", 0600);
  if (setxattr(files_path("file"), "user.confidentai.test", "value", 5, 0) != 0) {
    puts("extended attributes: skipped, this filesystem has none");
    return;
  }
  CHECK(replace(&keeping) == CAI_FILE_DONE);
  CHECK(getxattr(files_path("file"), "user.confidentai.test", value, sizeof value) == 5);
  CHECK_TEXT(value, "value");
  CHECK(replace(&plain) == CAI_FILE_DONE);
  CHECK(getxattr(files_path("file"), "user.confidentai.test", value, sizeof value) < 0 && errno == ENODATA);
}

/* An access control list as https://man7.org/linux/man-pages/man5/acl.5.html says, in the kernel's form: version 2,
 * then tag, permissions and id of each entry. It lets user 12 read. */
static const unsigned char list_for_12[] = {2,    0, 0, 0,                          /* */
                                            0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,  /* owner */
                                            0x02, 0, 4, 0, 12,   0,    0,    0,     /* user 12 */
                                            0x04, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,  /* group */
                                            0x10, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,  /* mask */
                                            0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}; /* others */

/* The folder gives new files a list; what is replaced has none, and must not get one by being replaced. */
static void a_list_of_the_folder_lets_nobody_else_read(void) {
  if (setxattr(files_path("."), "system.posix_acl_default", list_for_12, sizeof list_for_12, 0) != 0) {
    puts("access control lists: skipped, this filesystem has none");
    return;
  }
  files_put("file", "old", 0640);
  CHECK(removexattr(files_path("file"), "system.posix_acl_access") == 0 && chmod(files_path("file"), 0640) == 0);
  CHECK(replace(&keeping) == CAI_FILE_DONE);
  CHECK(getxattr(files_path("file"), "system.posix_acl_access", NULL, 0) < 0 && errno == ENODATA);
  CHECK((files_facts("file").st_mode & 07777) == 0640);
  CHECK(removexattr(files_path("."), "system.posix_acl_default") == 0);
  CHECK(setxattr(files_path("file"), "system.posix_acl_access", list_for_12, sizeof list_for_12, 0) == 0);
  CHECK(replace(&keeping) == CAI_FILE_DONE);
  unsigned char kept[sizeof list_for_12];
  CHECK(getxattr(files_path("file"), "system.posix_acl_access", kept, sizeof kept) == (ssize_t)sizeof kept);
  CHECK(memcmp(kept, list_for_12, sizeof kept) == 0);
}
#endif

int main(void) {
  if (!files_begin())
    return 1;
  modes_are_kept();
  owners_are_kept_by_who_may();
  an_owner_that_cannot_be_kept_is_a_failure();
  the_file_of_another_user_is_given_nothing();
#if defined(CAI_HAS_LGETXATTR)
  extended_attributes_are_kept();
  a_list_of_the_folder_lets_nobody_else_read();
#endif
  files_end();
  return check_end();
}
