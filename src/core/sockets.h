/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_SOCKETS_H
#define CAI_SOCKETS_H

#include <stddef.h>
#include <sys/types.h>

typedef struct {
  int descriptor;
  dev_t device;
  ino_t inode;
} cai_socket;

/* The open sockets of an engine. A forked child closes its copies of them, and touches nothing else of libcurl's. */
typedef struct {
  cai_socket *list;
  size_t count, capacity;
} cai_sockets;

/* Opens a socket that closes on exec, and keeps it. -1: the system gave none. */
int cai_sockets_open(cai_sockets *sockets, int family, int type, int protocol);

/* Closes one. */
void cai_sockets_close(cai_sockets *sockets, int descriptor);

/* Closes all that are still open, and frees the list. A descriptor that is something else by now is the host's (a child
 * that closed all it inherited, and opened files of its own) and stays. */
void cai_sockets_close_all(cai_sockets *sockets);

#endif
