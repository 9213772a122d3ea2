/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include "../../src/core/temporary.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char root[PATH_MAX];

bool files_begin(void) {
  const char *above = getenv("TMPDIR");
  snprintf(root, sizeof root, "%s/core-files-XXXXXX", above == NULL ? "/tmp" : above);
  return mkdtemp(root) != NULL;
}

void files_end(void) {
  char command[PATH_MAX + 16];
  snprintf(command, sizeof command, "rm -rf '%s'", root);
  if (system(command) != 0) /* NOLINT: a folder of our own */
    perror(command);
}

const char *files_path(const char *name) {
  static char paths[2][2 * PATH_MAX];
  static int next;
  next = !next;
  snprintf(paths[next], sizeof paths[next], "%s/%s", root, name);
  return paths[next];
}

void files_put(const char *name, const char *text, mode_t mode) {
  const char *path = files_path(name);
  unlink(path);
  FILE *file = fopen(path, "wb");
  if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0 || chmod(path, mode) != 0)
    perror(path);
}

const char *files_get(const char *name) {
  static char texts[2][4096];
  static int next;
  FILE *file = fopen(files_path(name), "rb");
  if (file == NULL)
    return NULL;
  next = !next;
  texts[next][fread(texts[next], 1, sizeof texts[next] - 1, file)] = '\0';
  fclose(file);
  return texts[next];
}

struct stat files_facts(const char *name) {
  struct stat facts;
  if (lstat(files_path(name), &facts) != 0)
    memset(&facts, 0, sizeof facts);
  return facts;
}

static char found[NAME_MAX + 1];

static int count(bool only_temporary) {
  DIR *stream = opendir(root);
  const struct dirent *entry;
  int names = 0;
  while (stream != NULL && (entry = readdir(stream)) != NULL) {
    bool temporary = strncmp(entry->d_name, CAI_TEMPORARY_PREFIX, strlen(CAI_TEMPORARY_PREFIX)) == 0;
    if (temporary)
      snprintf(found, sizeof found, "%s", entry->d_name);
    names += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && (temporary || !only_temporary);
  }
  if (stream != NULL)
    closedir(stream);
  return names;
}

int files_count(void) {
  return count(false);
}

int files_temporary(void) {
  return count(true);
}

const char *files_any_temporary(void) {
  return files_temporary() > 0 ? found : NULL;
}
