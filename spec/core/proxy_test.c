/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/proxy.h"
#include "check.h"

#include <stdlib.h>

static void known_schemes_are_taken(void) {
  static const char *const known[] = {"",
                                      "proxy.example",
                                      "proxy.example:3128",
                                      "http://proxy.example:3128",
                                      "https://proxy.example",
                                      "http://user:password@proxy.example:3128",
                                      "socks4://proxy.example",
                                      "socks4a://proxy.example",
                                      "socks5://proxy.example",
                                      "socks5h://proxy.example:1080"};
  static const char *const unknown[] = {"ftp://proxy.example", "gopher://proxy.example", "http://", "http://a b",
                                        "http://proxy.example:port"};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    CHECK_CASE(cai_proxy_complaint(known[i]) == NULL, "%s", known[i]);
  for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
    CHECK_CASE(cai_proxy_complaint(unknown[i]) != NULL, "%s", unknown[i]);
}

static const char *const variables[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                        "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

static void clear_environment(void) {
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
    unsetenv(variables[i]);
}

/* Each later variable is set before the earlier one, which then takes its place. */
static void the_environment_is_read_as_libcurl_does(void) {
  static const char *const http[] = {"ALL_PROXY", "all_proxy", "http_proxy"};
  static const char *const https[] = {"ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"};
  cai_base_url plain = {.text = "http://h.example"}, tls = {.text = "https://h.example", .tls = true};
  cai_base_url loopback = {.text = "http://127.0.0.1", .loopback = true};
  clear_environment();
  CHECK_TEXT(cai_proxy_of_environment(&plain), "");
  CHECK_TEXT(cai_proxy_of_environment(&tls), "");
  setenv("HTTP_PROXY", "never", 1);
  CHECK_TEXT(cai_proxy_of_environment(&plain), "");
  for (size_t i = 0; i < sizeof http / sizeof http[0]; i++) {
    setenv(http[i], http[i], 1);
    CHECK_TEXT(cai_proxy_of_environment(&plain), http[i]);
  }
  clear_environment();
  for (size_t i = 0; i < sizeof https / sizeof https[0]; i++) {
    setenv(https[i], https[i], 1);
    CHECK_TEXT(cai_proxy_of_environment(&tls), https[i]);
  }
  CHECK_TEXT(cai_proxy_of_environment(&loopback), "");
  setenv("https_proxy", "", 1);
  CHECK_TEXT(cai_proxy_of_environment(&tls), "HTTPS_PROXY");
  CHECK_TEXT(cai_no_proxy_of_environment(), "");
  setenv("NO_PROXY", "elsewhere", 1);
  CHECK_TEXT(cai_no_proxy_of_environment(), "elsewhere");
  setenv("no_proxy", "there", 1);
  CHECK_TEXT(cai_no_proxy_of_environment(), "there");
  clear_environment();
}

int main(void) {
  known_schemes_are_taken();
  the_environment_is_read_as_libcurl_does();
  return check_end();
}
