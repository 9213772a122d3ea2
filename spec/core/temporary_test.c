/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/folder.h"
#include "../../src/core/temporary.h"
#include "check.h"
#include "files.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRET "confident_us_org_0123456789abcdef"
#define LEFT CAI_TEMPORARY_PREFIX "0123456789abcdef"

static cai_problem problem;
static int folder;

static void one_is_private_and_gone_afterwards(void) {
  cai_temporary temporary;
  CHECK(cai_temporary_make(folder, &temporary, &problem));
  CHECK((files_facts(temporary.name).st_mode & 07777) == 0600 && files_temporary() == 1);
  CHECK((fcntl(temporary.descriptor, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(cai_descriptor_write(temporary.descriptor, SECRET, strlen(SECRET), &problem));
  CHECK_TEXT(files_get(temporary.name), SECRET);
  CHECK(fchmod(temporary.descriptor, 0400) == 0);
  char first = 'x';
  int descriptor = open(files_path(temporary.name), O_RDONLY);
  CHECK(cai_temporary_discard(folder, &temporary, &problem) && temporary.descriptor < 0 && files_temporary() == 0);
  CHECK(pread(descriptor, &first, 1, 0) == 1 && first == '\0');
  close(descriptor);
}

static void zeros_of_any_length_are_written(void) {
  static const size_t lengths[] = {0, 1, 4095, 4096, 4097, 10000};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    cai_temporary temporary;
    CHECK(cai_temporary_make(folder, &temporary, &problem));
    CHECK(cai_descriptor_write(temporary.descriptor, NULL, lengths[i], &problem));
    CHECK_CASE((size_t)files_facts(temporary.name).st_size == lengths[i], "%zu", lengths[i]);
    CHECK(cai_temporary_discard(folder, &temporary, &problem));
  }
}

static void what_a_killed_process_left_is_swept(void) {
  static const mode_t modes[] = {0600, 0400, 0644};
  for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
    char first = 'x';
    files_put(LEFT, SECRET, modes[i]);
    int descriptor = open(files_path(LEFT), O_RDONLY);
    cai_temporary_sweep(folder);
    CHECK_CASE(files_temporary() == 0, "mode %o", (unsigned)modes[i]);
    CHECK(pread(descriptor, &first, 1, 0) == 1 && first == '\0');
    close(descriptor);
  }
}

/* Its writer lives: in this process, or in another. */
static void one_in_use_is_not_swept(void) {
  cai_temporary temporary;
  CHECK(cai_temporary_make(folder, &temporary, &problem));
  cai_temporary_sweep(folder);
  CHECK(files_temporary() == 1);
  pid_t child = fork();
  if (child == 0) {
    close(temporary.descriptor);
    cai_temporary_sweep(folder);
    _exit(files_temporary());
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 1);
  cai_temporary_close(&temporary);
  cai_temporary_sweep(folder);
  CHECK(files_temporary() == 0);
}

/* Nothing that could be somebody else's. */
static void others_are_not_swept(void) {
  static const char *const names[] = {CAI_TEMPORARY_PREFIX, CAI_TEMPORARY_PREFIX "0123456789abcde",
                                      CAI_TEMPORARY_PREFIX "0123456789abcdef0", CAI_TEMPORARY_PREFIX "0123456789ABCDEF",
                                      "confidentai-0123456789abcdef"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    files_put(names[i], "kept", 0600);
    cai_temporary_sweep(folder);
    CHECK_TEXT(files_get(names[i]), "kept");
    unlink(files_path(names[i]));
  }
  files_put("target", "kept", 0600);
  CHECK(symlink("target", files_path(LEFT)) == 0);
  cai_temporary_sweep(folder);
  CHECK_TEXT(files_get("target"), "kept");
  unlink(files_path(LEFT));
  CHECK(link(files_path("target"), files_path(LEFT)) == 0);
  cai_temporary_sweep(folder);
  CHECK_TEXT(files_get("target"), "kept"); /* an exclusive creation was killed between link and unlink */
  CHECK(files_temporary() == 0);
  CHECK(mkdir(files_path(LEFT), 0700) == 0);
  cai_temporary_sweep(folder);
  CHECK(rmdir(files_path(LEFT)) == 0);
}

/* A file of any size costs another user nothing to make, and may cost us the disk. */
static void no_file_of_another_user_is_swept_and_no_more_is_written_than_ours_have(void) {
  struct stat facts;
  files_put(LEFT, "", 0600);
  CHECK(truncate(files_path(LEFT), (off_t)1 << 31) == 0);
  if (geteuid() == 0) {
    CHECK(chown(files_path(LEFT), 12, 34) == 0 && chmod(files_path("."), 01777) == 0);
    cai_temporary_sweep(folder);
    CHECK(stat(files_path(LEFT), &facts) == 0 && facts.st_size == (off_t)1 << 31 && facts.st_blocks == 0);
    CHECK(chmod(files_path("."), 0700) == 0); /* as root itself leaves it where the file is that user's */
  }
  int opened = open(files_path(LEFT), O_RDONLY | O_CLOEXEC);
  cai_temporary_sweep(folder);
  CHECK(files_temporary() == 0 && fstat(opened, &facts) == 0);
  CHECK((long long)facts.st_blocks * 512 <= (65LL << 20) + 65536);
  close(opened);
}

/* Writers that put files in place while others sweep lose none, and never find one wiped. */
static void sweeping_and_writing_at_once(void) {
  for (int i = 0; i < 6; i++) {
    if (fork() != 0)
      continue;
    for (int round = 0; round < 60; round++) {
      cai_temporary temporary;
      char name[] = "written-0";
      name[8] = (char)('0' + i);
      if (!cai_temporary_make(folder, &temporary, &problem) ||
          !cai_descriptor_write(temporary.descriptor, SECRET, strlen(SECRET), &problem) ||
          renameat(folder, temporary.name, folder, name) != 0)
        _exit(1);
      cai_temporary_close(&temporary);
      cai_temporary_sweep(folder);
      const char *text = files_get(name);
      if (text == NULL || strcmp(text, SECRET) != 0)
        _exit(2);
    }
    _exit(0);
  }
  int status;
  while (wait(&status) > 0)
    CHECK_CASE(status == 0, "status %d", WEXITSTATUS(status));
  CHECK(files_temporary() == 0);
}

int main(void) {
  cai_entry entry;
  if (!files_begin() || !cai_entry_open(&entry, files_path("any"), &problem))
    return 1;
  folder = entry.folder;
  one_is_private_and_gone_afterwards();
  zeros_of_any_length_are_written();
  what_a_killed_process_left_is_swept();
  one_in_use_is_not_swept();
  others_are_not_swept();
  no_file_of_another_user_is_swept_and_no_more_is_written_than_ours_have();
  sweeping_and_writing_at_once();
  cai_entry_close(&entry);
  files_end();
  return check_end();
}
