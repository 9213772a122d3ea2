/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/problem.h"
#include "check.h"

#include <errno.h>

int main(void) {
  cai_problem problem;
  errno = ENOSPC;
  CHECK(!cai_problem_note(&problem, "write"));
  CHECK(problem.number == ENOSPC);
  CHECK_TEXT(problem.step, "write");
  CHECK(!cai_problem_note_number(&problem, "open it", ELOOP) && problem.number == ELOOP);
  CHECK_TEXT(cai_problem_name(ENOSPC), "ENOSPC");
  CHECK_TEXT(cai_problem_name(EEXIST), "EEXIST");
  CHECK_TEXT(cai_problem_name(ENAMETOOLONG), "ENAMETOOLONG");
  CHECK_TEXT(cai_problem_name(0), "errno");
  CHECK(cai_problem_is_lack(ENOTSUP) && cai_problem_is_lack(EOPNOTSUPP) && !cai_problem_is_lack(EIO));
  return check_end();
}
