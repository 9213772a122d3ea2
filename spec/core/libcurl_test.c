/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/libcurl.h"
#include "check.h"

#include <curl/curl.h>

/* Another libcurl than the one that is there, by --wrap=curl_version_info. */

curl_version_info_data *__real_curl_version_info(CURLversion version);
curl_version_info_data *__wrap_curl_version_info(CURLversion version);

static curl_version_info_data other;

curl_version_info_data *__wrap_curl_version_info(CURLversion version) {
  return other.version == NULL ? __real_curl_version_info(version) : &other;
}

static void the_one_that_it_was_built_with_serves(void) {
  char message[CAI_LIBCURL_MESSAGE] = "";
  CHECK(cai_libcurl_serves(message));
  CHECK_TEXT(message, "");
}

static void newer_ones_serve_and_too_old_ones_are_named(void) {
  static const struct {
    const char *version;
    unsigned number;
    bool serves;
  } cases[] = {{"9.1.0", 0x090100, true},
               {"7.85.0", 0x075500, true},
               {"7.84.0", 0x075400, LIBCURL_VERSION_NUM < 0x075500},
               {"7.66.0", 0x074200, LIBCURL_VERSION_NUM < 0x075500},
               {"7.65.3", 0x074103, false}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char message[CAI_LIBCURL_MESSAGE] = "";
    other = (curl_version_info_data){.version = cases[i].version, .version_num = cases[i].number};
    CHECK_CASE(cai_libcurl_serves(message) == cases[i].serves, "%s", cases[i].version);
    CHECK_CASE((strstr(message, cases[i].version) == NULL) == cases[i].serves, "%s", message);
  }
}

int main(void) {
  the_one_that_it_was_built_with_serves();
  newer_ones_serve_and_too_old_ones_are_named();
  return check_end();
}
