/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy.h"

#include <stdlib.h>
#include <string.h>

/* libcurl takes a proxy without a scheme for http. */
static bool is_proxy_scheme(const char *scheme) {
  static const char *const schemes[] = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"};
  for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
    if (strcmp(scheme, schemes[i]) == 0)
      return true;
  }
  return false;
}

const char *cai_proxy_complaint(const char *text) {
  if (text[0] == '\0') /* libcurl: no proxy, whatever the environment says */
    return NULL;
  CURLU *url = curl_url();
  CURLUcode code = CURLUE_OUT_OF_MEMORY;
  char *scheme = NULL;
  bool known = false;
  if (url != NULL)
    code = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME);
  if (code == CURLUE_OK)
    code = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
  if (code == CURLUE_OK)
    known = strstr(text, "://") == NULL || is_proxy_scheme(scheme);
  curl_free(scheme);
  curl_url_cleanup(url);
  if (code == CURLUE_OUT_OF_MEMORY)
    return "proxy: out of memory";
  return known ? NULL
               : "proxy is not one that libcurl knows: it must look like http://host:port or socks5h://host:port";
}

/* The first of these variables that is set and not empty, or "". The names end with NULL. */
static const char *first_variable(const char *const *names) {
  for (; *names != NULL; names++) {
    const char *value = getenv(*names);
    if (value != NULL && value[0] != '\0')
      return value;
  }
  return "";
}

const char *cai_proxy_of_environment(const cai_base_url *base) {
  /* Not HTTP_PROXY: a web server hands a visitor's "Proxy:" header to CGI programs under that name. */
  static const char *const https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
  static const char *const http[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
  return base->loopback ? "" : first_variable(base->tls ? https : http);
}

const char *cai_no_proxy_of_environment(void) {
  static const char *const names[] = {"no_proxy", "NO_PROXY", NULL};
  return first_variable(names);
}
