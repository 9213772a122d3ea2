/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include "trace.h"
#include "version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* False: out of memory. */
static bool write_url(cai_request *request, const char *base, const char *query) {
  size_t size = strlen(base) + strlen(request->path) + (query == NULL ? 0 : 1 + strlen(query)) + 1;
  request->url = malloc(size);
  if (request->url == NULL)
    return false;
  snprintf(request->url, size, "%s%s%s%s", base, request->path, query == NULL ? "" : "?", query == NULL ? "" : query);
  return true;
}

/* False: out of memory. */
static bool copy_body(cai_request *request, const char *body, size_t length) {
  request->body = malloc(length + 1);
  if (request->body == NULL)
    return false;
  memcpy(request->body, body, length);
  request->body[length] = '\0';
  request->body_length = length;
  return true;
}

bool cai_request_init(cai_request *request, const cai_client *client, const cai_call_options *options) {
  *request = (cai_request){.method = options->method, .fresh = options->fresh};
  if (options->credential == NULL)
    request->identity = cai_identity_retain(client->identity);
  else
    request->identity = cai_identity_new(options->credential, options->credential_length);
  request->path = cai_path_join(options->segments, options->segment_count);
  if (request->identity != NULL && request->path != NULL && write_url(request, client->base.text, options->query) &&
      (options->body == NULL || copy_body(request, options->body, options->body_length)))
    return true;
  cai_request_clear(request);
  return false;
}

void cai_request_clear(cai_request *request) {
  cai_identity_release(request->identity);
  free(request->path);
  free(request->url);
  if (request->body != NULL)
    cai_wipe(request->body, request->body_length);
  free(request->body);
  *request = (cai_request){.method = request->method};
}

bool cai_request_is_exclusive(const cai_request *request) {
  return request->fresh || cai_method_changes(request->method);
}

static CURLcode apply_method(const cai_request *request, CURL *easy) {
  CURLcode code = CURLE_OK;
  if (request->body != NULL) {
    code |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
    code |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
  }
  if (request->method != CAI_GET)
    code |= curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, cai_method_name(request->method));
  return code;
}

static CURLcode apply_connection(const cai_request *request, const cai_client *client, CURL *easy) {
  CURLcode code = CURLE_OK;
  if (cai_request_is_exclusive(request)) {
    code |= curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    code |= curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    code |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  } else {
    /* A libcurl without HTTP/2 refuses this, and is as good over HTTP/1.1. */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    /* Wait for a connection that is being made, as it may carry many calls: only TLS can tell. Over plain http, a call
     * would wait for the answer to another. */
    code |= curl_easy_setopt(easy, CURLOPT_PIPEWAIT, client->base.tls ? 1L : 0L);
  }
  return code;
}

static CURLcode apply_protocols(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static CURLcode apply_trust(const cai_client *client, CURL *easy) {
  CURLcode code = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2); /* or newer */
  code |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  code |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (client->trust.file == NULL && client->trust.folder == NULL)
    return code;
  code |= curl_easy_setopt(easy, CURLOPT_CAINFO, client->trust.file);
  CURLcode folder = curl_easy_setopt(easy, CURLOPT_CAPATH, client->trust.folder);
  if (client->trust.folder != NULL) /* without one, a TLS library that knows no folders refuses, and is as good */
    code |= folder;
  return code;
}

static CURLcode apply_route(const cai_client *client, CURL *easy) {
  CURLcode code = curl_easy_setopt(easy, CURLOPT_PROXY, client->proxy);
  /* To this machine never through a proxy: it would be handed the credential. */
  code |= curl_easy_setopt(easy, CURLOPT_NOPROXY, client->base.loopback ? "*" : client->no_proxy);
  code |= curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE); /* no credential in a CONNECT */
  code |= curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  return code;
}

static CURLcode apply_limits(const cai_client *client, CURL *easy) {
  CURLcode code = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  code |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, client->timeout);
  code |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, client->connect_timeout);
  /* A connection whose peer went away without a word is closed before a later call is sent on it. */
  code |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  code |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
  code |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
#if LIBCURL_VERSION_NUM >= 0x075700
  /* Do not wait for the resolver's thread when a call ends before its name is found. */
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* an older one than the headers' refuses, and is as good */
#endif
  return code;
}

bool cai_request_apply(const cai_request *request, const cai_client *client, CURL *easy) {
  struct curl_slist *headers = request->body != NULL ? request->identity->json_headers : request->identity->headers;
  CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, request->url);
  code |= curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  code |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  code |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "confidentai-lua/" CAI_VERSION);
  code |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  code |= apply_method(request, easy);
  code |= apply_connection(request, client, easy);
  code |= apply_protocols(easy);
  code |= apply_trust(client, easy);
  code |= apply_route(client, easy);
  code |= apply_limits(client, easy);
  if (cai_trace_is_wanted())
    code |= cai_trace_apply(easy, request->identity->secret);
  return code == CURLE_OK;
}
