/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/error.h"
#include "check.h"

static void names_are_the_ones_of_the_surface(void) {
  CHECK(cai_kind_name(CAI_KIND_NONE) == NULL);
  CHECK_TEXT(cai_kind_name(CAI_KIND_CONFIG), "config");
  CHECK_TEXT(cai_kind_name(CAI_KIND_API), "api");
  CHECK_TEXT(cai_kind_name(CAI_KIND_NETWORK), "network");
  CHECK_TEXT(cai_kind_name(CAI_KIND_TIMEOUT), "timeout");
  CHECK_TEXT(cai_kind_name(CAI_KIND_TLS), "tls");
  CHECK_TEXT(cai_kind_name(CAI_KIND_PROTOCOL), "protocol");
  CHECK_TEXT(cai_kind_name(CAI_KIND_CANCELLED), "cancelled");
  CHECK_TEXT(cai_kind_name(CAI_KIND_GUARD), "guard");
  CHECK_TEXT(cai_kind_name(CAI_KIND_STORE), "store");
  CHECK_TEXT(cai_kind_name(CAI_KIND_STATE), "state");
  CHECK(cai_outcome_name(CAI_OUTCOME_NONE) == NULL);
  CHECK_TEXT(cai_outcome_name(CAI_OUTCOME_NOT_APPLIED), "not_applied");
  CHECK_TEXT(cai_outcome_name(CAI_OUTCOME_UNKNOWN), "unknown");
}

/* What each of libcurl's failures is to a user, judged by its page and not by our table. */
static const struct {
  CURLcode code;
  cai_kind kind;
} expected[] = {
    {CURLE_OK, CAI_KIND_NONE},
    {CURLE_COULDNT_RESOLVE_HOST, CAI_KIND_NETWORK},
    {CURLE_COULDNT_RESOLVE_PROXY, CAI_KIND_NETWORK},
    {CURLE_COULDNT_CONNECT, CAI_KIND_NETWORK},
    {CURLE_GOT_NOTHING, CAI_KIND_NETWORK},
    {CURLE_SEND_ERROR, CAI_KIND_NETWORK},
    {CURLE_RECV_ERROR, CAI_KIND_NETWORK},
    {CURLE_PARTIAL_FILE, CAI_KIND_NETWORK},
    {CURLE_HTTP2, CAI_KIND_NETWORK},
    {CURLE_HTTP2_STREAM, CAI_KIND_NETWORK},
    {CURLE_OPERATION_TIMEDOUT, CAI_KIND_TIMEOUT},
    {CURLE_SSL_CONNECT_ERROR, CAI_KIND_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, CAI_KIND_TLS},
    {CURLE_SSL_CACERT_BADFILE, CAI_KIND_CONFIG},
    {CURLE_URL_MALFORMAT, CAI_KIND_CONFIG},
#if LIBCURL_VERSION_NUM >= 0x074d00
    {CURLE_SSL_CLIENTCERT, CAI_KIND_TLS},
#endif
    {CURLE_SSL_CERTPROBLEM, CAI_KIND_TLS},
    {CURLE_SSL_ISSUER_ERROR, CAI_KIND_TLS},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, CAI_KIND_TLS},
    {CURLE_SSL_INVALIDCERTSTATUS, CAI_KIND_TLS},
    {CURLE_WEIRD_SERVER_REPLY, CAI_KIND_PROTOCOL},
    {CURLE_WRITE_ERROR, CAI_KIND_PROTOCOL},
    {CURLE_FILESIZE_EXCEEDED, CAI_KIND_PROTOCOL},
    {CURLE_BAD_CONTENT_ENCODING, CAI_KIND_PROTOCOL},
#if LIBCURL_VERSION_NUM >= 0x080600
    {CURLE_TOO_LARGE, CAI_KIND_PROTOCOL},
#endif
};

static void codes_have_kinds(void) {
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
    CHECK_CASE(cai_kind_of_curl(expected[i].code) == expected[i].kind, "%s", curl_easy_strerror(expected[i].code));
}

/* No failure passes for a success, and none takes a kind that only our own code may give. */
static void every_failure_is_of_the_transport(void) {
  for (int code = 1; code < CURL_LAST; code++) {
    cai_kind kind = cai_kind_of_curl((CURLcode)code);
    CHECK_CASE(kind == CAI_KIND_NETWORK || kind == CAI_KIND_TIMEOUT || kind == CAI_KIND_TLS ||
                   kind == CAI_KIND_PROTOCOL || kind == CAI_KIND_CONFIG,
               "%d", code);
  }
}

/* A failure of TLS is never tried again, so one that is called "network" by mistake would be. */
static void every_tls_failure_is_tls(void) {
  for (int code = 1; code < CURL_LAST; code++) {
    const char *words = curl_easy_strerror((CURLcode)code);
    if (strstr(words, "SSL") == NULL && strstr(words, "ertificate") == NULL)
      continue;
    if (code == CURLE_SSL_SHUTDOWN_FAILED || code == CURLE_SSL_CACERT_BADFILE) /* after the answer; before any */
      continue;
    CHECK_CASE(cai_kind_of_curl((CURLcode)code) == CAI_KIND_TLS, "%d, %s", code, words);
  }
}

int main(void) {
  names_are_the_ones_of_the_surface();
  codes_have_kinds();
  every_failure_is_of_the_transport();
  every_tls_failure_is_tls();
  return check_end();
}
