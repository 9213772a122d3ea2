/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

const char *cai_kind_name(cai_kind kind) {
  static const char *const names[CAI_KIND_COUNT] = {
      [CAI_KIND_CONFIG] = "config",       [CAI_KIND_API] = "api",     [CAI_KIND_NETWORK] = "network",
      [CAI_KIND_TIMEOUT] = "timeout",     [CAI_KIND_TLS] = "tls",     [CAI_KIND_PROTOCOL] = "protocol",
      [CAI_KIND_CANCELLED] = "cancelled", [CAI_KIND_GUARD] = "guard", [CAI_KIND_STORE] = "store",
      [CAI_KIND_STATE] = "state",
  };
  return names[kind];
}

const char *cai_outcome_name(cai_outcome outcome) {
  switch (outcome) {
  case CAI_OUTCOME_NOT_APPLIED:
    return "not_applied";
  case CAI_OUTCOME_UNKNOWN:
    return "unknown";
  case CAI_OUTCOME_NONE:
    break;
  }
  return NULL;
}

cai_kind cai_kind_of_curl(CURLcode code) {
  switch (code) {
  case CURLE_OK:
    return CAI_KIND_NONE;
  case CURLE_OPERATION_TIMEDOUT:
    return CAI_KIND_TIMEOUT;
  case CURLE_SSL_CACERT_BADFILE: /* ca_file holds no certificates */
  case CURLE_URL_MALFORMAT:      /* base_url was checked: a proxy of the environment */
  case CURLE_BAD_FUNCTION_ARGUMENT:
  case CURLE_UNKNOWN_OPTION:
  case CURLE_NOT_BUILT_IN:
    return CAI_KIND_CONFIG;
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CRL_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_INVALIDCERTSTATUS:
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
  case CURLE_SSL_ENGINE_NOTFOUND:
  case CURLE_SSL_ENGINE_SETFAILED:
  case CURLE_SSL_ENGINE_INITFAILED:
#if LIBCURL_VERSION_NUM >= 0x074d00
  case CURLE_SSL_CLIENTCERT:
#endif
  case CURLE_USE_SSL_FAILED:
    return CAI_KIND_TLS;
  case CURLE_UNSUPPORTED_PROTOCOL: /* bytes that are no HTTP, taken for HTTP/0.9 */
  case CURLE_WEIRD_SERVER_REPLY:
  case CURLE_BAD_CONTENT_ENCODING:
  case CURLE_FILESIZE_EXCEEDED:
  case CURLE_WRITE_ERROR: /* our own callbacks refused: the answer is over a cap */
#if LIBCURL_VERSION_NUM >= 0x080600
  case CURLE_TOO_LARGE:
#endif
  case CURLE_TOO_MANY_REDIRECTS:
    return CAI_KIND_PROTOCOL;
  default:
    return CAI_KIND_NETWORK;
  }
}
