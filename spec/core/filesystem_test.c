/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/filesystem.h"
#include "check.h"
#include "files.h"

#include <errno.h>
#include <stdlib.h>

/* Whether a system has the filesystem at this place is told by the mount table itself. */
static bool is_mounted(const char *path, const char *kind) {
  char line[1024], wanted[128];
  FILE *file = fopen("/proc/self/mounts", "r");
  bool found = false;
  snprintf(wanted, sizeof wanted, " %s %s ", path, kind);
  while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
    found = strstr(line, wanted) != NULL;
  if (file != NULL)
    fclose(file);
  return found;
}

static void kinds(void) {
  cai_filesystem filesystem;
  cai_problem problem;
  if (is_mounted("/dev/shm", "tmpfs")) {
    CHECK(cai_filesystem_look("/dev/shm", &filesystem, &problem));
#if defined(CAI_HAS_STATFS_TYPE)
    CHECK_TEXT(filesystem.kind, "tmpfs");
#else
    CHECK_TEXT(filesystem.kind, "other");
#endif
    CHECK(!filesystem.read_only && filesystem.free > 0);
  }
  if (is_mounted("/proc", "proc")) {
    CHECK(cai_filesystem_look("/proc/self", &filesystem, &problem));
    CHECK_TEXT(filesystem.kind, "other");
  }
  CHECK(!cai_filesystem_look(files_path("absent"), &filesystem, &problem) && problem.number == ENOENT);
}

#if defined(CAI_HAS_STATX_ATTR_IMMUTABLE)
/* chattr needs a privilege, and a filesystem that knows it: without them there is nothing to see. */
static void frozen_files(void) {
  char command[8192];
  files_put("frozen", "", 0600);
  CHECK(!cai_filesystem_is_frozen(files_path("frozen")) && !cai_filesystem_is_frozen(files_path("absent")));
  for (const char *flag = "ia"; *flag != '\0'; flag++) {
    snprintf(command, sizeof command, "chattr +%c '%s' 2>/dev/null", *flag, files_path("frozen"));
    if (system(command) == 0) { /* NOLINT: a path of our own */
      CHECK_CASE(cai_filesystem_is_frozen(files_path("frozen")), "chattr +%c", *flag);
      snprintf(command, sizeof command, "chattr -%c '%s'", *flag, files_path("frozen"));
      CHECK(system(command) == 0); /* NOLINT */
    } else {
      puts("chattr: skipped");
    }
  }
}
#endif

int main(void) {
  if (!files_begin())
    return 1;
  kinds();
#if defined(CAI_HAS_STATX_ATTR_IMMUTABLE)
  frozen_files();
#endif
  files_end();
  return check_end();
}
