/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and answers, as libcurl sends and receives them. Before the first byte of a request leaves, it has not taken
 * effect; when the first byte of the answer is there, and the client has not seen it, it has. */
#include "boundary.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#define OURS __attribute__((visibility("default")))
#define MOST_DESCRIPTORS 1024

/* A request was sent, and of its answer nothing was received. */
static bool awaits[MOST_DESCRIPTORS];

static bool is_tcp(int descriptor) {
  int family = 0;
  socklen_t size = sizeof family;
  return descriptor < MOST_DESCRIPTORS && getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 &&
         (family == AF_INET || family == AF_INET6);
}

/* Method and path of a request: all that may be shown of it. */
static void describe(char *line, size_t size, const char *bytes, size_t length) {
  size_t end = 0, blanks = 0;
  while (end < length && end + 1 < size && bytes[end] != '\r' && bytes[end] != '\n' &&
         (blanks += bytes[end] == ' ') < 2)
    end++;
  snprintf(line, size, "%.*s", (int)end, bytes);
}

OURS ssize_t send(int descriptor, const void *bytes, size_t length, int flags) {
  char line[512];
  if (boundary_is_armed() && is_tcp(descriptor)) {
    describe(line, sizeof line, bytes, length);
    boundary_meet(BOUNDARY_NETWORK, "send", AT_FDCWD, line);
    awaits[descriptor] = true;
  }
  return ((ssize_t(*)(int, const void *, size_t, int))boundary_next("send"))(descriptor, bytes, length, flags);
}

OURS ssize_t recv(int descriptor, void *bytes, size_t length, int flags) {
  ssize_t count = ((ssize_t(*)(int, void *, size_t, int))boundary_next("recv"))(descriptor, bytes, length, flags);
  if (count > 0 && boundary_is_armed() && is_tcp(descriptor) && awaits[descriptor]) {
    awaits[descriptor] = false;
    boundary_meet(BOUNDARY_NETWORK, "answer", AT_FDCWD, "");
  }
  return count;
}
