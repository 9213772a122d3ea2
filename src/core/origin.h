/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_ORIGIN_H
#define CAI_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

/* A scheme, host and port that calls go to, and how many are under way there. Calls beyond the limit wait for a place,
 * and their timeouts with them: libcurl's own limit counts connections of every kind, and the time that is spent
 * waiting for one. */
typedef struct cai_origin {
  struct cai_origin *next;
  struct cai_lane *lane; /* of the reads that begin now; NULL: none yet, or the last one is retired */
  int shared, exclusive; /* calls under way that share connections, and with one of their own */
  bool multiplexed;      /* it has answered over HTTP/2, so that one connection carries all that share */
  size_t length;
  char name[];
} cai_origin;

/* Finds an origin in a list by its name, or adds it. NULL: out of memory. */
cai_origin *cai_origin_find(cai_origin **list, const char *name, size_t length);

/* Returns true if one more call may go there now: `most` that have a connection of their own (0: any number), and as
 * many that share connections, or the 100 streams of one over HTTP/2. So a change never waits for reads that hang. */
bool cai_origin_has_room(const cai_origin *origin, bool exclusive, int most);

/* Frees a list. */
void cai_origin_free(cai_origin *list);

#endif
