/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_ORIGIN_H
#define CAI_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

/* A scheme, host and port that calls go to, and how many are under way there. Reads beyond the limit wait their turn,
 * and their timeouts with them: libcurl's own limit counts connections of every kind, and the time that is spent
 * waiting for one. */
typedef struct cai_origin {
  struct cai_origin *next;
  int running;
  bool multiplexed; /* it has answered over HTTP/2, so that one connection carries them all */
  size_t length;
  char name[];
} cai_origin;

/* Finds an origin in a list by its name, or adds it. NULL: out of memory. */
cai_origin *cai_origin_find(cai_origin **list, const char *name, size_t length);

/* Whether one more read may go there now. */
bool cai_origin_has_room(const cai_origin *origin);

/* Frees a list. */
void cai_origin_free(cai_origin *list);

#endif
