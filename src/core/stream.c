/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

void cai_stream_fill_standard(void) {
  /* The lowest free number is what open takes. Each is opened for what it is not used for: what is written there must
   * not seem to have arrived, nor must a closed input seem to be an empty one. */
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++)
    if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
      return;
}

bool cai_stream_is_writable(int descriptor, cai_problem *problem) {
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0)
    return cai_problem_note(problem, "use it");
  if ((flags & O_ACCMODE) == O_RDONLY)
    return cai_problem_note_number(problem, "write to it", EBADF);
  return true;
}

bool cai_stream_write(int descriptor, const char *bytes, size_t length, size_t *written, cai_problem *problem) {
  *written = 0;
  while (*written < length) {
    struct pollfd room = {.fd = descriptor, .events = POLLOUT};
    ssize_t count = write(descriptor, bytes + *written, length - *written);
    if (count >= 0)
      *written += (size_t)count;
    else if ((errno != EAGAIN && errno != EWOULDBLOCK) || poll(&room, 1, -1) < 0)
      return cai_problem_note(problem, "write to it");
  }
  return true;
}
