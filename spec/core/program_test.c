/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/program.h"
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char found[CAI_PROGRAM_SIZE];

static void make(const char *path, mode_t mode) {
  int file = open(path, O_CREAT | O_WRONLY, 0600);
  CHECK(file >= 0 && fchmod(file, mode) == 0 && close(file) == 0);
}

static void a_path_is_taken_as_it_is(void) {
  CHECK(cai_program_find("a/tool", "/nowhere", found) == 0);
  CHECK_TEXT(found, "a/tool");
  CHECK(cai_program_find("./nothing", NULL, found) == ENOENT);
  CHECK(cai_program_find("b/tool", NULL, found) == EACCES);
  CHECK(cai_program_find("./a", NULL, found) == EACCES); /* a folder */
  CHECK(cai_program_find("a/tool/x", NULL, found) == ENOTDIR);
}

static void a_name_is_looked_up_in_order(const char *here) {
  char path[256], wanted[128];
  snprintf(wanted, sizeof wanted, "%s/a/tool", here);
  snprintf(path, sizeof path, "/nowhere:%s/b:%s/a:%s/c", here, here, here);
  CHECK(cai_program_find("tool", path, found) == 0); /* past one that cannot be run */
  CHECK_TEXT(found, wanted);
  snprintf(path, sizeof path, "%s/b:/nowhere", here);
  CHECK(cai_program_find("tool", path, found) == EACCES);
  CHECK(cai_program_find("nothing", path, found) == ENOENT);
  CHECK(cai_program_find("", path, found) == ENOENT);
  CHECK(cai_program_find("tool", "", found) == ENOENT);
}

static void no_path_is_the_usual_one(void) {
  CHECK(cai_program_find("sh", NULL, found) == 0);
  CHECK(strcmp(found, "/usr/bin/sh") == 0 || strcmp(found, "/bin/sh") == 0);
}

static void the_current_folder_is_none_to_look_in(void) {
  CHECK(cai_program_find("tool", "a:./a:", found) == ENOENT);
  CHECK(chdir("a") == 0);
  CHECK(cai_program_find("tool", ":.:", found) == ENOENT);
  CHECK(chdir("..") == 0);
}

static void long_names_are_refused(void) {
  char name[2 * CAI_PROGRAM_SIZE];
  memset(name, 'x', sizeof name);
  name[sizeof name - 1] = '\0';
  CHECK(cai_program_find(name, NULL, found) == ENOENT); /* no folder has it */
  name[0] = '/';
  CHECK(cai_program_find(name, NULL, found) == ENAMETOOLONG);
  CHECK(cai_program_find("sh", name, found) == ENOENT);
}

int main(void) {
  char folder[] = "/tmp/program_test_XXXXXX";
  CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
  CHECK(mkdir("a", 0700) == 0 && mkdir("b", 0700) == 0 && mkdir("c", 0700) == 0);
  make("a/tool", 0700);
  make("b/tool", 0600);
  make("c/tool", 0700);
  a_path_is_taken_as_it_is();
  a_name_is_looked_up_in_order(folder);
  no_path_is_the_usual_one();
  the_current_folder_is_none_to_look_in();
  long_names_are_refused();
  CHECK(unlink("a/tool") == 0 && unlink("b/tool") == 0 && unlink("c/tool") == 0);
  CHECK(rmdir("a") == 0 && rmdir("b") == 0 && rmdir("c") == 0 && chdir("/") == 0 && rmdir(folder) == 0);
  return check_end();
}
