/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include "attributes.h"
#include "folder.h"
#include "secret.h"
#include "temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#if defined(CAI_HAS_SYS_RENAMEAT2)
#include <sys/syscall.h>
#endif

#define READ_FLAGS (O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)

/* The errno that says what else than a regular file this is; 0: it is one. */
static int foreign_kind(const struct stat *facts) {
  if (S_ISREG(facts->st_mode))
    return 0;
  return S_ISLNK(facts->st_mode) ? ELOOP : S_ISDIR(facts->st_mode) ? EISDIR : EINVAL;
}

/* Opens without following a link: -1 and ELOOP when it is one. */
static int open_unfollowed(const cai_entry *entry) {
  int descriptor = openat(entry->folder, entry->name, READ_FLAGS);
  if (descriptor < 0 && errno == EMLINK) /* FreeBSD */
    errno = ELOOP;
#if defined(EFTYPE)
  if (descriptor < 0 && errno == EFTYPE) /* NetBSD */
    errno = ELOOP;
#endif
  return descriptor;
}

/* Opens a regular file for reading. -1: noted. */
static int open_regular(const cai_entry *entry, struct stat *facts, cai_problem *problem) {
  int descriptor = open_unfollowed(entry);
  if (descriptor < 0 || fstat(descriptor, facts) != 0) {
    cai_problem_note(problem, "open it");
  } else if (foreign_kind(facts) != 0) {
    cai_problem_note_number(problem, "use it as a file", foreign_kind(facts));
  } else {
    return descriptor;
  }
  if (descriptor >= 0)
    close(descriptor);
  return -1;
}

static bool read_all(int descriptor, cai_buffer *content, cai_problem *problem) {
  char bytes[4096];
  ssize_t count;
  cai_buffer_result result = CAI_BUFFER_OK;
  while (result == CAI_BUFFER_OK && (count = read(descriptor, bytes, sizeof bytes)) != 0) {
    if (count > 0)
      result = cai_buffer_append(content, bytes, (size_t)count);
    else if (errno != EINTR)
      break;
  }
  if (result != CAI_BUFFER_OK)
    cai_problem_note_number(problem, "read it", result == CAI_BUFFER_FULL ? EFBIG : ENOMEM);
  else if (count < 0)
    cai_problem_note(problem, "read it");
  cai_wipe(bytes, sizeof bytes);
  return result == CAI_BUFFER_OK && count == 0;
}

bool cai_file_read(const char *path, cai_buffer *content, struct stat *facts, cai_problem *problem) {
  cai_entry entry;
  struct stat own;
  if (!cai_entry_open(&entry, path, problem))
    return false;
  int descriptor = open_regular(&entry, facts == NULL ? &own : facts, problem);
  cai_entry_close(&entry);
  if (descriptor < 0)
    return false;
  bool done = read_all(descriptor, content, problem);
  close(descriptor);
  return done;
}

/* Looks at what is to be replaced, and gives the new file its attributes. */
static bool prepare(const cai_entry *entry, int descriptor, const cai_file_options *options, cai_problem *problem) {
  struct stat facts;
  if (fstatat(entry->folder, entry->name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT || cai_problem_note(problem, "look at it");
  if (options->exclusive)
    return cai_problem_note_number(problem, "create it", EEXIST);
  if (foreign_kind(&facts) != 0)
    return cai_problem_note_number(problem, "use it as a file", foreign_kind(&facts));
  if (!options->keep)
    return true;
  int there = open_regular(entry, &facts, problem);
  if (there < 0)
    return false;
  bool done = cai_folder_vouches(entry->folder, &facts) ? cai_attributes_copy(there, descriptor, problem)
                                                        : cai_problem_note_number(problem, "trust its owner", EPERM);
  close(there);
  return done;
}

/* Renames to a name that must be free. */
static int rename_to_nothing(int folder, const char *from, const char *to) {
#if defined(CAI_HAS_SYS_RENAMEAT2)
  /* By number, as not every C library has it; 1 is RENAME_NOREPLACE. */
  if (syscall(SYS_renameat2, folder, from, folder, to, 1) == 0)
    return 0;
  if (errno != EINVAL && errno != ENOSYS) /* filesystems and kernels that lack it */
    return -1;
#elif defined(RENAME_EXCL) /* macOS */
  if (renameatx_np(folder, from, folder, to, RENAME_EXCL) == 0)
    return 0;
  if (!cai_problem_is_lack(errno) && errno != EINVAL)
    return -1;
#endif
  if (linkat(folder, from, folder, to, 0) != 0)
    return -1;
  (void)unlinkat(folder, from, 0); /* should it stay, a sweep takes it, and leaves a file of two names its content */
  return 0;
}

static cai_file_result put_in_place(const cai_entry *entry, cai_temporary *temporary, const cai_file_options *options,
                                    cai_problem *problem) {
  cai_problem ignored;
  int result = options->exclusive ? rename_to_nothing(entry->folder, temporary->name, entry->name)
                                  : renameat(entry->folder, temporary->name, entry->folder, entry->name);
  if (result != 0) {
    cai_problem_note(problem, options->exclusive ? "create it" : "rename the new file");
    cai_temporary_discard(entry->folder, temporary, &ignored);
    return CAI_FILE_FAILED;
  }
  cai_temporary_close(temporary);
  return cai_folder_sync(entry->folder, problem) ? CAI_FILE_DONE : CAI_FILE_UNKNOWN;
}

static cai_file_result write_anew(const cai_entry *entry, const char *bytes, size_t length,
                                  const cai_file_options *options, cai_problem *problem) {
  cai_temporary temporary;
  cai_problem ignored;
  if (!cai_temporary_make(entry->folder, &temporary, problem))
    return CAI_FILE_FAILED;
  bool done = prepare(entry, temporary.descriptor, options, problem) &&
              cai_descriptor_write(temporary.descriptor, bytes, length, problem);
  if (done && !options->rehearse)
    return put_in_place(entry, &temporary, options, problem);
  bool gone = cai_temporary_discard(entry->folder, &temporary, done ? problem : &ignored);
  return done && gone ? CAI_FILE_DONE : CAI_FILE_FAILED;
}

/* Opens the spare. It keeps its name, as a folder may have no room for another. False: there is none that serves. */
static bool take_spare(const cai_entry *entry, const char *path, size_t length, cai_temporary *spare) {
  struct stat facts;
  const char *slash = strrchr(path, '/');
  const char *name = slash == NULL ? path : slash + 1;
  int descriptor = openat(entry->folder, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return false;
  if (fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_nlink == 1 &&
      facts.st_size >= (off_t)length && fchmod(descriptor, 0600) == 0 && cai_temporary_adopt(spare, name, descriptor))
    return true;
  close(descriptor);
  return false;
}

/* Cuts after the content, of which not a byte needs a new block then. */
static cai_file_result write_spare(const cai_entry *entry, cai_temporary *spare, const char *bytes, size_t length,
                                   const cai_file_options *options, cai_problem *problem) {
  cai_problem ignored;
  if (prepare(entry, spare->descriptor, options, problem)) {
    if (ftruncate(spare->descriptor, (off_t)length) != 0)
      cai_problem_note(problem, "cut the reserved file");
    else if (cai_descriptor_write(spare->descriptor, bytes, length, problem))
      return put_in_place(entry, spare, options, problem);
  }
  cai_temporary_discard(entry->folder, spare, &ignored);
  return CAI_FILE_FAILED;
}

cai_file_result cai_file_write(const char *path, const char *bytes, size_t length, const cai_file_options *options,
                               cai_problem *problem) {
  cai_entry entry;
  cai_temporary spare;
  if (!cai_entry_open(&entry, path, problem))
    return CAI_FILE_FAILED;
  cai_temporary_sweep(entry.folder);
  cai_file_result result = options->spare != NULL && take_spare(&entry, options->spare, length, &spare)
                               ? write_spare(&entry, &spare, bytes, length, options, problem)
                               : write_anew(&entry, bytes, length, options, problem);
  cai_entry_close(&entry);
  return result;
}

/* Takes the name away, then overwrites; where the folder has no room for another name, only overwrites. */
static cai_file_result take_away(const cai_entry *entry, int descriptor, cai_problem *problem) {
  cai_temporary leaving;
  if (!cai_temporary_adopt(&leaving, entry->name, descriptor) ||
      (!cai_temporary_rename(entry->folder, &leaving, problem) && problem->number != ENOSPC &&
       problem->number != EDQUOT)) {
    close(descriptor);
    return CAI_FILE_FAILED;
  }
  bool synced = cai_folder_sync(entry->folder, problem);
  bool wiped = cai_temporary_discard(entry->folder, &leaving, problem);
  return cai_folder_sync(entry->folder, problem) && synced && wiped ? CAI_FILE_DONE : CAI_FILE_UNKNOWN;
}

cai_file_result cai_file_remove(const char *path, cai_problem *problem) {
  cai_entry entry;
  struct stat facts;
  if (!cai_entry_open(&entry, path, problem))
    return problem->number == ENOENT ? CAI_FILE_DONE : CAI_FILE_FAILED;
  cai_temporary_sweep(entry.folder);
  int descriptor = open_regular(&entry, &facts, problem);
  cai_file_result result;
  if (descriptor >= 0)
    result = take_away(&entry, descriptor, problem);
  else
    result = problem->number == ENOENT ? CAI_FILE_DONE : CAI_FILE_FAILED;
  cai_entry_close(&entry);
  return result;
}
