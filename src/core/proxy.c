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
               : "proxy is no proxy that libcurl knows: it must look like http://host:port or socks5h://host:port";
}

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value != NULL && value[0] != '\0' ? value : NULL;
}

const char *cai_proxy_of_environment(const cai_base_url *base) {
  /* Not HTTP_PROXY: a web server hands a visitor's "Proxy:" header to CGI programs under that name. */
  static const char *const https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
  static const char *const http[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
  if (base->loopback || variable("no_proxy") != NULL || variable("NO_PROXY") != NULL)
    return NULL;
  for (const char *const *name = base->tls ? https : http; *name != NULL; name++) {
    if (variable(*name) != NULL)
      return variable(*name);
  }
  return NULL;
}
