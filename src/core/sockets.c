/* SPDX-License-Identifier: Apache-2.0 */
#include "sockets.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool make_room(cai_sockets *sockets) {
  if (sockets->count < sockets->capacity)
    return true;
  size_t capacity = sockets->capacity == 0 ? 8 : 2 * sockets->capacity;
  cai_socket *list = realloc(sockets->list, capacity * sizeof *list);
  if (list == NULL)
    return false;
  sockets->list = list;
  sockets->capacity = capacity;
  return true;
}

static int open_closing_on_exec(int family, int type, int protocol) {
#if defined(CAI_HAS_SOCK_CLOEXEC)
  return socket(family, type | SOCK_CLOEXEC, protocol);
#else
  int descriptor = socket(family, type, protocol);
  if (descriptor >= 0)
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  return descriptor;
#endif
}

/* Where a socket can be told to raise no SIGPIPE it is: macOS sends that to any thread, so that holding it back in one
 * does not do (sigpipe.h). */
static void keep_quiet(int descriptor) {
#if defined(SO_NOSIGPIPE)
  int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#else
  (void)descriptor;
#endif
}

int cai_sockets_open(cai_sockets *sockets, int family, int type, int protocol) {
  if (!make_room(sockets))
    return -1;
  int descriptor = open_closing_on_exec(family, type, protocol);
  struct stat facts;
  if (descriptor >= 0)
    keep_quiet(descriptor);
  if (descriptor >= 0 && fstat(descriptor, &facts) == 0)
    sockets->list[sockets->count++] =
        (cai_socket){.descriptor = descriptor, .device = facts.st_dev, .inode = facts.st_ino};
  return descriptor;
}

void cai_sockets_close(cai_sockets *sockets, int descriptor) {
  for (size_t i = 0; i < sockets->count; i++) {
    if (sockets->list[i].descriptor == descriptor) {
      sockets->list[i] = sockets->list[--sockets->count];
      break;
    }
  }
  close(descriptor);
}

static bool is_still_open(const cai_socket *socket) {
  struct stat facts;
  return fstat(socket->descriptor, &facts) == 0 && facts.st_dev == socket->device && facts.st_ino == socket->inode;
}

void cai_sockets_close_all(cai_sockets *sockets) {
  for (size_t i = 0; i < sockets->count; i++) {
    if (is_still_open(&sockets->list[i]))
      close(sockets->list[i].descriptor);
  }
  free(sockets->list);
  *sockets = (cai_sockets){NULL, 0, 0};
}
