/* SPDX-License-Identifier: Apache-2.0
 * For LD_PRELOAD: libcurl's own authorities are in $OWN_CA_FILE and $OWN_CA_FOLDER; an unset one: it has none. */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

__attribute__((visibility("default"))) curl_version_info_data *curl_version_info(CURLversion version) {
  static curl_version_info_data facts;
  curl_version_info_data *(*real)(CURLversion) = NULL;
  void *symbol = dlsym(RTLD_NEXT, "curl_version_info");
  memcpy(&real, &symbol, sizeof real); /* ISO C has no cast from an object's address to a function's */
  facts = *real(version);
  facts.cainfo = getenv("OWN_CA_FILE");
  facts.capath = getenv("OWN_CA_FOLDER");
  return &facts;
}
