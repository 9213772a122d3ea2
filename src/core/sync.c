/* SPDX-License-Identifier: Apache-2.0 */
#include "sync.h"

#include "problem.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* On macOS fsync leaves it in the drive's cache (https://developer.apple.com/library/archive/documentation/System/
 * Conceptual/ManPages_iPhoneOS/man2/fsync.2.html). Filesystems that cannot do more are left to fsync. */
static int sync_once(int descriptor) {
#if defined(F_FULLFSYNC)
  if (fcntl(descriptor, F_FULLFSYNC) == 0)
    return 0;
  if (!cai_problem_is_lack(errno) && errno != EINVAL && errno != ENOTTY && errno != ENOSYS)
    return -1;
#endif
  return fsync(descriptor);
}

bool cai_sync(int descriptor) {
  int result;
  do
    result = sync_once(descriptor);
  while (result != 0 && errno == EINTR);
  return result == 0;
}
