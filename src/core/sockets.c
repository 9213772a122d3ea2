/* SPDX-License-Identifier: Apache-2.0 */
#include "sockets.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static bool make_room(cai_sockets *sockets) {
  if (sockets->count < sockets->capacity)
    return true;
  size_t capacity = sockets->capacity == 0 ? 8 : 2 * sockets->capacity;
  int *descriptors = realloc(sockets->descriptors, capacity * sizeof *descriptors);
  if (descriptors == NULL)
    return false;
  sockets->descriptors = descriptors;
  sockets->capacity = capacity;
  return true;
}

static int open_closing_on_exec(int family, int type, int protocol) {
#if defined(SOCK_CLOEXEC)
  return socket(family, type | SOCK_CLOEXEC, protocol);
#else
  int descriptor = socket(family, type, protocol);
  if (descriptor >= 0)
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  return descriptor;
#endif
}

int cai_sockets_open(cai_sockets *sockets, int family, int type, int protocol) {
  if (!make_room(sockets))
    return -1;
  int descriptor = open_closing_on_exec(family, type, protocol);
  if (descriptor >= 0)
    sockets->descriptors[sockets->count++] = descriptor;
  return descriptor;
}

void cai_sockets_close(cai_sockets *sockets, int descriptor) {
  for (size_t i = 0; i < sockets->count; i++) {
    if (sockets->descriptors[i] == descriptor) {
      sockets->descriptors[i] = sockets->descriptors[--sockets->count];
      break;
    }
  }
  close(descriptor);
}

void cai_sockets_close_all(cai_sockets *sockets) {
  for (size_t i = 0; i < sockets->count; i++)
    close(sockets->descriptors[i]);
  free(sockets->descriptors);
  *sockets = (cai_sockets){NULL, 0, 0};
}
