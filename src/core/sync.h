/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_SYNC_H
#define CAI_SYNC_H

#include <stdbool.h>

/* Has the system write an open file or folder down, and its drive what it keeps in a cache of its own. False: errno
 * says why; EINVAL, or one that cai_problem_is_lack, that its filesystem cannot. */
bool cai_sync(int descriptor);

#endif
