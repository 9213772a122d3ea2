/* SPDX-License-Identifier: Apache-2.0 */
#include "problem.h"

#include <errno.h>
#include <stddef.h>

bool cai_problem_note(cai_problem *problem, const char *step) {
  return cai_problem_note_number(problem, step, errno);
}

bool cai_problem_note_number(cai_problem *problem, const char *step, int number) {
  *problem = (cai_problem){.step = step, .number = number};
  return false;
}

bool cai_problem_is_lack(int number) {
  return number == ENOTSUP || number == EOPNOTSUPP;
}

const char *cai_problem_name(int number) {
  static const struct {
    int number;
    const char *name;
  } names[] = {{EACCES, "EACCES"},   {EAGAIN, "EAGAIN"},
               {EBUSY, "EBUSY"},     {EDQUOT, "EDQUOT"},
               {EEXIST, "EEXIST"},   {EFBIG, "EFBIG"},
               {EINVAL, "EINVAL"},   {EIO, "EIO"},
               {EISDIR, "EISDIR"},   {ELOOP, "ELOOP"},
               {EMFILE, "EMFILE"},   {EMLINK, "EMLINK"},
               {ENFILE, "ENFILE"},   {ENOENT, "ENOENT"},
               {ENOLCK, "ENOLCK"},   {ENOMEM, "ENOMEM"},
               {ENOSPC, "ENOSPC"},   {ENOSYS, "ENOSYS"},
               {EPERM, "EPERM"},     {EROFS, "EROFS"},
               {ESTALE, "ESTALE"},   {ENOTDIR, "ENOTDIR"},
               {ENXIO, "ENXIO"},     {EXDEV, "EXDEV"},
               {ENOTSUP, "ENOTSUP"}, {ENAMETOOLONG, "ENAMETOOLONG"}};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (names[i].number == number)
      return names[i].name;
  }
  return "errno";
}
