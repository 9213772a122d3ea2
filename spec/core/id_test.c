/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/id.h"
#include "check.h"

#include <math.h>

static void numbers(void) {
  static const double good[] = {1, 2, 7, 4294967296.0, 9007199254740991.0, 9007199254740992.0};
  static const double bad[] = {0, -0.0, -1, 0.5, 1.5, 9007199254740994.0, 1e300, -1e300, INFINITY, -INFINITY, NAN};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
    CHECK_CASE(cai_id_is_number(good[i]), "%g", good[i]);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    CHECK_CASE(!cai_id_is_number(bad[i]), "%g", bad[i]);
}

static void texts(void) {
  char text[CAI_ID_SIZE_LIMIT + 1];
  memset(text, 'a', sizeof text);
  CHECK(!cai_id_is_text(text, 0));
  CHECK(cai_id_is_text(text, 1));
  CHECK(cai_id_is_text(text, CAI_ID_SIZE_LIMIT));
  CHECK(!cai_id_is_text(text, CAI_ID_SIZE_LIMIT + 1));
  for (int c = 0; c < 256; c++) {
    bool good = c != 0 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", c) != NULL;
    for (size_t at = 0; at < 3; at++) {
      char id[] = "xyz";
      id[at] = (char)c;
      CHECK_CASE(cai_id_is_text(id, 3) == good, "byte %d", c);
    }
  }
  CHECK(!cai_id_is_text("../organization", 15)); /* what gets the official SDKs to the keys of the organization */
  CHECK(!cai_id_is_text("..", 2));
  CHECK(!cai_id_is_text("a%2fb", 5));
}

static void secrets(void) {
  CHECK(cai_id_is_secret("confident_us_org_abc", 20));
  CHECK(cai_id_is_secret("confident_", 10));
  CHECK(!cai_id_is_secret("confident_", 9));
  CHECK(!cai_id_is_secret("clq9z3x1k0001la08f7t3g5p2", 25));
  CHECK(!cai_id_is_secret("", 0));
}

int main(void) {
  numbers();
  texts();
  secrets();
  return check_end();
}
