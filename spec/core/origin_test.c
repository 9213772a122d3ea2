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
  for (; origin->running < 32; origin->running++)
    CHECK(cai_origin_has_room(origin));
  CHECK(!cai_origin_has_room(origin));
  origin->multiplexed = true;
  for (; origin->running < 100; origin->running++)
    CHECK(cai_origin_has_room(origin));
  CHECK(!cai_origin_has_room(origin));
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
