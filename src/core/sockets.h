/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_SOCKETS_H
#define CAI_SOCKETS_H

#include <stddef.h>

/* The open sockets of an engine. A forked child closes its copies of them, and touches nothing else of libcurl's. */
typedef struct {
  int *descriptors;
  size_t count, capacity;
} cai_sockets;

/* Opens a socket that closes on exec, and keeps it. -1: the system gave none. */
int cai_sockets_open(cai_sockets *sockets, int family, int type, int protocol);

/* Closes one. */
void cai_sockets_close(cai_sockets *sockets, int descriptor);

/* Closes all that are still open. */
void cai_sockets_close_all(cai_sockets *sockets);

#endif
