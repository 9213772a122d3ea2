/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/origin.h"
#include "allocator.h"
#include "check.h"

static void each_name_is_one_origin(void) {
  cai_origin *list = NULL;
  cai_origin *first = cai_origin_find(&list, "https://a.example/prefix", 17);
  cai_origin *second = cai_origin_find(&list, "https://a.example:8443", 22);
  CHECK(first != NULL && second != NULL && first != second);
  CHECK(cai_origin_find(&list, "https://a.example/other", 17) == first);
  CHECK(cai_origin_find(&list, "https://a.example:8443/x", 22) == second);
  CHECK(cai_origin_find(&list, "https://a.example:844", 21) != second);
  cai_origin_free(list);
}

static void there_is_room_for_so_many(void) {
  cai_origin *list = NULL, *origin = cai_origin_find(&list, "o", 1);
  for (int most = 1; most <= 64; most++) {
    origin->multiplexed = false;
    for (int taken = 0; taken <= 64; taken++) {
      origin->exclusive = origin->shared = taken;
      CHECK(cai_origin_has_room(origin, true, most) == (taken < most));
      CHECK(cai_origin_has_room(origin, false, most) == (taken < most));
      CHECK(cai_origin_has_room(origin, true, 0) && cai_origin_has_room(origin, false, 0));
    }
    origin->exclusive = most;
    origin->shared = 0;
    CHECK(!cai_origin_has_room(origin, true, most) && cai_origin_has_room(origin, false, most));
    origin->exclusive = 0;
    origin->shared = most;
    CHECK(cai_origin_has_room(origin, true, most) && !cai_origin_has_room(origin, false, most));
    /* Over HTTP/2, one connection carries all that share. */
    origin->multiplexed = true;
    for (origin->shared = 0; origin->shared < 100; origin->shared++)
      CHECK(cai_origin_has_room(origin, false, most) && cai_origin_has_room(origin, true, most));
    CHECK(!cai_origin_has_room(origin, false, most) && cai_origin_has_room(origin, true, most));
    origin->exclusive = most;
    CHECK(!cai_origin_has_room(origin, true, most));
    origin->shared = origin->exclusive = 0;
  }
  cai_origin_free(list);
}

static void out_of_memory_changes_nothing(void) {
  cai_origin *list = NULL;
  allocator_fail_from(1);
  cai_origin *origin = cai_origin_find(&list, "o", 1);
  allocator_fail_from(0);
  CHECK(origin == NULL && list == NULL);
  cai_origin_free(list);
}

int main(void) {
  each_name_is_one_origin();
  there_is_room_for_so_many();
  out_of_memory_changes_nothing();
  return check_end();
}
