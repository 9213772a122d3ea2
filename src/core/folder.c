/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "sync.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* Copies the folder's part of a path, "." when there is none. False: it is too long. */
static bool copy_parent(const char *path, char parent[PATH_MAX]) {
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
  if (length >= PATH_MAX) {
    errno = ENAMETOOLONG;
    return false;
  }
  memcpy(parent, path, length);
  parent[length] = '\0';
  if (length == 0)
    memcpy(parent, ".", 2);
  return true;
}

bool cai_entry_open(cai_entry *entry, const char *path, cai_problem *problem) {
  char parent[PATH_MAX];
  const char *slash = strrchr(path, '/');
  *entry = (cai_entry){.folder = -1, .name = slash == NULL ? path : slash + 1};
  if (entry->name[0] == '\0' || strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
    return cai_problem_note_number(problem, "use it as a file", EISDIR);
  if (copy_parent(path, parent))
    entry->folder = open(parent, FOLDER_FLAGS);
  return entry->folder >= 0 || cai_problem_note(problem, "open the folder");
}

void cai_entry_close(cai_entry *entry) {
  int number = errno;
  if (entry->folder >= 0)
    close(entry->folder);
  entry->folder = -1;
  errno = number;
}

bool cai_folder_sync(int folder, cai_problem *problem) {
  /* Filesystems that cannot sync a folder say so; there is nothing more to be done on them. */
  return cai_sync(folder) || errno == EINVAL || cai_problem_is_lack(errno) ||
         cai_problem_note(problem, "sync the folder");
}

bool cai_folder_vouches(int folder, const struct stat *file) {
  struct stat facts;
  if (file->st_uid == geteuid())
    return true;
  return fstat(folder, &facts) == 0 && (facts.st_uid == file->st_uid || (facts.st_mode & (S_IWGRP | S_IWOTH)) == 0);
}

/* Gives the folder that was just made its mode, and writes its name down. */
static bool finish_folder(const char *path, cai_problem *problem) {
  char parent[PATH_MAX];
  int folder = open(path, FOLDER_FLAGS | O_NOFOLLOW);
  if (folder < 0 && errno == EACCES && chmod(path, 0700) == 0) /* an umask that takes from the owner too */
    folder = open(path, FOLDER_FLAGS | O_NOFOLLOW);
  if (folder < 0)
    return cai_problem_note(problem, "open the new folder");
  bool done = fchmod(folder, 0700) == 0 || cai_problem_note(problem, "set the mode of the new folder");
  close(folder);
  if (!done)
    return false;
  folder = copy_parent(path, parent) ? open(parent, FOLDER_FLAGS) : -1;
  if (folder < 0)
    return errno == EACCES || cai_problem_note(problem, "open the folder above"); /* one that we may only enter */
  done = cai_folder_sync(folder, problem);
  close(folder);
  return done;
}

static bool make_one(const char *path, cai_problem *problem) {
  struct stat facts;
  if (mkdir(path, 0700) == 0)
    return finish_folder(path, problem);
  if (stat(path, &facts) == 0) /* whatever mkdir said: EROFS, EACCES come before EEXIST on some systems */
    return S_ISDIR(facts.st_mode) || cai_problem_note_number(problem, "make the folder", ENOTDIR);
  return cai_problem_note(problem, "make the folder");
}

bool cai_folder_make(const char *path, cai_problem *problem) {
  char part[PATH_MAX];
  size_t length = strlen(path);
  if (length >= sizeof part)
    return cai_problem_note_number(problem, "make the folder", ENAMETOOLONG);
  memcpy(part, path, length + 1);
  for (char *slash = strchr(part + 1, '/'); length > 0 && slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    if (!make_one(part, problem))
      return false;
    *slash = '/';
  }
  return make_one(part, problem);
}

static bool append_names(DIR *stream, cai_buffer *names, cai_problem *problem) {
  const struct dirent *entry;
  for (errno = 0; (entry = readdir(stream)) != NULL; errno = 0) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    if (cai_buffer_append(names, entry->d_name, strlen(entry->d_name) + 1) != CAI_BUFFER_OK)
      return cai_problem_note_number(problem, "list the folder", ENOMEM);
  }
  return errno == 0 || cai_problem_note(problem, "list the folder");
}

bool cai_folder_list(const char *path, cai_buffer *names, cai_problem *problem) {
  int folder = open(path, FOLDER_FLAGS);
  DIR *stream = folder < 0 ? NULL : fdopendir(folder);
  if (stream == NULL) {
    cai_problem_note(problem, "open the folder");
    if (folder >= 0)
      close(folder);
    return false;
  }
  bool done = append_names(stream, names, problem);
  closedir(stream);
  return done;
}
