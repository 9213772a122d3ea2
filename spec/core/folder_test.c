/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/folder.h"
#include "check.h"
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

static cai_problem problem;

static void folders_are_made_private(void) {
  static const mode_t masks[] = {0, 022, 0777};
  for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
    char name[] = "made0/below/deep";
    name[4] = (char)('0' + i);
    mode_t before = umask(masks[i]);
    CHECK(cai_folder_make(files_path(name), &problem));
    umask(before);
    for (char *end = name + strlen(name); end != NULL; end = strrchr(name, '/')) {
      *end = '\0';
      struct stat facts = files_facts(name);
      CHECK_CASE(S_ISDIR(facts.st_mode) && (facts.st_mode & 07777) == 0700, "%s, umask %o", name, (unsigned)masks[i]);
    }
  }
  CHECK(cai_folder_make(files_path("made0/below/deep"), &problem)); /* again */
  CHECK(cai_folder_make(files_path("made0//other/"), &problem) && S_ISDIR(files_facts("made0/other").st_mode));
  CHECK(cai_folder_make("/", &problem));
}

static void what_is_there_stays(void) {
  CHECK(mkdir(files_path("open"), 0700) == 0 && chmod(files_path("open"), 0755) == 0);
  CHECK(cai_folder_make(files_path("open"), &problem) && (files_facts("open").st_mode & 07777) == 0755);
  files_put("plain", "", 0600);
  CHECK(!cai_folder_make(files_path("plain"), &problem) && problem.number == ENOTDIR);
  CHECK(!cai_folder_make(files_path("plain/below"), &problem) && problem.number == ENOTDIR);
  char path[PATH_MAX + 8];
  memset(path, 'a', sizeof path);
  path[sizeof path - 1] = '\0';
  CHECK(!cai_folder_make(path, &problem) && problem.number == ENAMETOOLONG);
}

static void a_folder_is_listed(void) {
  cai_buffer names;
  cai_buffer_init(&names, 1000);
  CHECK(mkdir(files_path("listed"), 0700) == 0);
  CHECK(cai_folder_list(files_path("listed"), &names, &problem) && names.length == 0);
  files_put("listed/one", "", 0600);
  files_put("listed/.two", "", 0600);
  CHECK(cai_folder_list(files_path("listed"), &names, &problem) && names.length == 9);
  CHECK(memmem(cai_buffer_join(&names), 9, "one", 4) != NULL && memmem(cai_buffer_join(&names), 9, ".two", 5) != NULL);
  cai_buffer_clear(&names);
  cai_buffer_init(&names, 4);
  CHECK(!cai_folder_list(files_path("listed"), &names, &problem) && problem.number == ENOMEM);
  cai_buffer_clear(&names);
  CHECK(!cai_folder_list(files_path("plain"), &names, &problem) && problem.number == ENOTDIR);
  CHECK(!cai_folder_list(files_path("absent"), &names, &problem) && problem.number == ENOENT);
}

static void an_entry_is_in_the_folder_of_its_path(void) {
  static const char *const bad[] = {"/", "", "x/", ".", "..", "x/.", "x/.."};
  cai_entry entry;
  CHECK(cai_entry_open(&entry, "/name", &problem));
  CHECK_TEXT(entry.name, "name");
  cai_entry_close(&entry);
  cai_entry_close(&entry);
  CHECK(cai_entry_open(&entry, "name", &problem)); /* of the current folder */
  CHECK(cai_folder_sync(entry.folder, &problem));
  CHECK((fcntl(entry.folder, F_GETFD) & FD_CLOEXEC) != 0);
  cai_entry_close(&entry);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    CHECK_CASE(!cai_entry_open(&entry, bad[i], &problem) && problem.number == EISDIR, "%s", bad[i]);
  CHECK(!cai_entry_open(&entry, files_path("absent/name"), &problem) && problem.number == ENOENT);
}

int main(void) {
  if (!files_begin())
    return 1;
  folders_are_made_private();
  what_is_there_stays();
  a_folder_is_listed();
  an_entry_is_in_the_folder_of_its_path();
  files_end();
  return check_end();
}
