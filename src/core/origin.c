/* SPDX-License-Identifier: Apache-2.0 */
#include "origin.h"

#include <stdlib.h>
#include <string.h>

/* Calls that share one HTTP/2 connection. Servers allow 100 to 128 as a rule, and libcurl opens a connection for each
 * beyond. */
#define MOST_STREAMS 100

cai_origin *cai_origin_find(cai_origin **list, const char *name, size_t length) {
  for (cai_origin *origin = *list; origin != NULL; origin = origin->next) {
    if (origin->length == length && memcmp(origin->name, name, length) == 0)
      return origin;
  }
  cai_origin *origin = calloc(1, sizeof *origin + length);
  if (origin == NULL)
    return NULL;
  memcpy(origin->name, name, length);
  origin->length = length;
  origin->next = *list;
  *list = origin;
  return origin;
}

bool cai_origin_has_room(const cai_origin *origin, bool exclusive, int most) {
  if (origin->multiplexed && !exclusive)
    return origin->shared < MOST_STREAMS;
  return most == 0 || (exclusive ? origin->exclusive : origin->shared) < most;
}

void cai_origin_free(cai_origin *list) {
  while (list != NULL) {
    cai_origin *next = list->next;
    free(list);
    list = next;
  }
}
