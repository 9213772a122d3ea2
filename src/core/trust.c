/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include <curl/curl.h>
#include <dirent.h>
#include <stddef.h>
#include <string.h>

#define HASH_DIGITS 8

static bool is_hashed_name(const char *name) {
  return strspn(name, "0123456789abcdef") == HASH_DIGITS && strcmp(name + HASH_DIGITS, ".0") == 0;
}

bool cai_trust_is_hashed(const char *folder) {
  DIR *stream = opendir(folder);
  bool found = false;
  if (stream == NULL)
    return false;
  for (const struct dirent *entry; !found && (entry = readdir(stream)) != NULL;)
    found = is_hashed_name(entry->d_name);
  closedir(stream);
  return found;
}

/* Whether a TLS library, as curl_version_info names it, looks certificates up one by one: GnuTLS, for one, reads a
 * whole folder. A name in parentheses is one of several libraries, and not in use. */
static bool looks_up(const char *tls_library) {
  static const char *const names[] = {"OpenSSL/", "LibreSSL/", "quictls/"};
  for (size_t i = 0; tls_library != NULL && i < sizeof names / sizeof names[0]; i++) {
    if (strncmp(tls_library, names[i], strlen(names[i])) == 0)
      return true;
  }
  return false;
}

cai_trust cai_trust_choose(const char *tls_library, const char *file, const char *folder) {
  if (folder != NULL && looks_up(tls_library) && cai_trust_is_hashed(folder))
    return (cai_trust){.folder = folder};
  return (cai_trust){.file = file};
}

#if LIBCURL_VERSION_NUM >= 0x074600
/* NULL: a libcurl that does not tell. */
static const curl_version_info_data *facts(void) {
  const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
  return version->age >= CURLVERSION_SEVENTH ? version : NULL;
}

cai_trust cai_trust_default(void) {
  const curl_version_info_data *version = facts();
  if (version == NULL)
    return (cai_trust){.file = NULL};
  return cai_trust_choose(version->ssl_version, version->cainfo, version->capath);
}

bool cai_trust_widen(cai_trust *trust) {
  const curl_version_info_data *version = facts();
  if (trust->folder == NULL || version == NULL || version->cainfo == NULL)
    return false;
  *trust = (cai_trust){.file = version->cainfo};
  return true;
}
#else
cai_trust cai_trust_default(void) {
  return (cai_trust){.file = NULL};
}

bool cai_trust_widen(cai_trust *trust) {
  (void)trust;
  return false;
}
#endif
