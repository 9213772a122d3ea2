/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static size_t on_body(char *bytes, size_t size, size_t count, void *user) {
  cai_transfer *transfer = user;
  cai_buffer_result result = cai_buffer_append(&transfer->body, bytes, size * count);
  transfer->body_over_cap |= result == CAI_BUFFER_FULL;
  transfer->no_memory |= result == CAI_BUFFER_NO_MEMORY;
  return result == CAI_BUFFER_OK ? size * count : 0;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Copies the value of header `name` in `line` (not NUL-terminated) to `value`; "?", which nothing can read, if it is
 * empty or too long to be meant seriously. False: it is another header. */
static bool read_header(const char *line, size_t length, const char *name, char *value, size_t size) {
  size_t at = strlen(name);
  if (length <= at || strncasecmp(line, name, at) != 0 || line[at] != ':')
    return false;
  at++;
  while (at < length && is_blank(line[at]))
    at++;
  while (length > at && is_blank(line[length - 1]))
    length--;
  bool fits = length > at && length - at < size;
  snprintf(value, size, "%.*s", fits ? (int)(length - at) : 1, fits ? line + at : "?");
  return true;
}

static bool announce(cai_transfer *transfer, const char *text) {
  unsigned long long length = strtoull(text, NULL, 10); /* saturates: past any limit */
  cai_buffer_result result = cai_buffer_expect(&transfer->body, length > SIZE_MAX ? SIZE_MAX : (size_t)length);
  transfer->body_over_cap |= result == CAI_BUFFER_FULL;
  transfer->no_memory |= result == CAI_BUFFER_NO_MEMORY;
  return result == CAI_BUFFER_OK;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Whether a status line is one (RFC 9112, 4). libcurl reads "HTTP/20401]" as a 401, and what it cannot read as a 200:
 * of neither can be said that the service refused, or took, anything. */
static bool is_status_line(const char *line, size_t length) {
  size_t at = strlen("HTTP/1");
  if (length > at + 1 && line[at] == '.' && is_digit(line[at + 1]))
    at += 2;
  return length > at + 4 && memcmp(line, "HTTP/", 5) == 0 && is_digit(line[5]) && line[at] == ' ' &&
         is_digit(line[at + 1]) && is_digit(line[at + 2]) && is_digit(line[at + 3]) && is_blank(line[at + 4]);
}

/* Keeps a Retry-After header, where there is room. */
static void read_retry_after(cai_transfer *transfer, const char *line, size_t length) {
  int i = 0;
  while (i < CAI_RETRY_AFTERS && transfer->retry_after[i][0] != '\0')
    i++;
  if (i < CAI_RETRY_AFTERS)
    read_header(line, length, "Retry-After", transfer->retry_after[i], sizeof transfer->retry_after[i]);
}

/* Reads a status line, and drops what an interim response said. False: it is malformed. */
static bool begin_headers(cai_transfer *transfer, const char *line, size_t length) {
  memset(transfer->retry_after, 0, sizeof transfer->retry_after);
  transfer->date[0] = '\0';
  transfer->in_trailers = false;
  transfer->headers_malformed = !is_status_line(line, length);
  return !transfer->headers_malformed;
}

static size_t on_header(char *line, size_t size, size_t count, void *user) {
  cai_transfer *transfer = user;
  size_t length = size * count;
  char value[64];
  transfer->header_bytes += length;
  if (transfer->header_bytes > CAI_HEADERS_LIMIT) {
    transfer->headers_over_cap = true;
    return 0;
  }
  if (length >= 5 && strncasecmp(line, "HTTP/", 5) == 0)
    return begin_headers(transfer, line, length) ? length : 0;
  if (transfer->in_trailers)
    return length;
  if (length > 0 && (line[0] == '\r' || line[0] == '\n'))
    transfer->in_trailers = true;
  else if (read_header(line, length, "Content-Length", value, sizeof value))
    return announce(transfer, value) ? length : 0;
  else if (!read_header(line, length, "Date", transfer->date, sizeof transfer->date))
    read_retry_after(transfer, line, length);
  return length;
}

static curl_socket_t on_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)purpose;
  int descriptor = cai_sockets_open(user, address->family, address->socktype, address->protocol);
  return descriptor < 0 ? CURL_SOCKET_BAD : descriptor;
}

static int on_close_socket(void *user, curl_socket_t descriptor) {
  cai_sockets_close(user, descriptor);
  return 0;
}

static CURLcode set_callbacks(cai_transfer *transfer, cai_sockets *sockets, void *owner) {
  CURL *easy = transfer->easy;
  CURLcode code = curl_easy_setopt(easy, CURLOPT_PRIVATE, owner);
  code |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
  code |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  code |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  code |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  code |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  code |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  code |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sockets);
  code |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
  code |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets);
  return code;
}

bool cai_transfer_begin(cai_transfer *transfer, const cai_request *request, const cai_client *client,
                        cai_sockets *sockets, void *owner) {
  cai_buffer_init(&transfer->body, client->max_response_bytes);
  transfer->easy = curl_easy_init();
  if (transfer->easy == NULL)
    return false;
  if (cai_request_apply(request, client, transfer->easy) && set_callbacks(transfer, sockets, owner) == CURLE_OK)
    return true;
  cai_transfer_end(transfer);
  return false;
}

bool cai_transfer_is_unsent(const cai_transfer *transfer) {
  curl_off_t pretransfer = 1;
  long request_size = 1;
  curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
  curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &request_size); /* counts a proxy's CONNECT too */
  return pretransfer == 0 || request_size == 0;
}

static cai_envelope envelope_of(cai_transfer *transfer) {
  const char *text = cai_buffer_join(&transfer->body);
  return text == NULL ? CAI_ENVELOPE_NONE : cai_envelope_read(text, transfer->body.length);
}

time_t cai_transfer_date(const cai_transfer *transfer) {
  return transfer->date[0] == '\0' ? -1 : curl_getdate(transfer->date, NULL);
}

/* libcurl has caps of its own for headers: 100 KB for a line, and since 8.3 300 KB for all. */
static bool is_over_libcurls_cap(CURLcode code, long status) {
#if LIBCURL_VERSION_NUM >= 0x080600
  if (code == CURLE_TOO_LARGE)
    return true;
#endif
  return code == CURLE_OUT_OF_MEMORY && status > 0;
}

/* Proxies lock accounts after a few refused passwords. */
static cai_proxy_refusal refusal_of_proxy(CURL *easy, CURLcode code, long status) {
  long answer = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &answer);
  if (status == 407 || answer == 407)
    return CAI_PROXY_WANTS_PASSWORD;
  if (code != CURLE_OK && answer >= 400 && answer <= 499 && answer != 408 && answer != 425 && answer != 429)
    return CAI_PROXY_FORBIDS;
#if LIBCURL_VERSION_NUM >= 0x074900
  long socks = CURLPX_OK;
  if (code == CURLE_PROXY)
    curl_easy_getinfo(easy, CURLINFO_PROXY_ERROR, &socks);
  if (socks == CURLPX_USER_REJECTED || socks == CURLPX_NO_AUTH)
    return CAI_PROXY_WANTS_PASSWORD;
  if (socks == CURLPX_REPLY_NOT_ALLOWED || socks == CURLPX_IDENTD || socks == CURLPX_IDENTD_DIFFER)
    return CAI_PROXY_FORBIDS;
#endif
  return CAI_PROXY_PASSES;
}

cai_attempt cai_transfer_facts(cai_transfer *transfer, CURLcode code) {
  cai_attempt attempt = {
      .failure = cai_kind_of_curl(code), .unsent = cai_transfer_is_unsent(transfer), .retry_after = -1};
  long version = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &attempt.status);
  curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
  transfer->multiplexed = version == CURL_HTTP_VERSION_2_0;
  transfer->proxy = refusal_of_proxy(transfer->easy, code, attempt.status);
  attempt.refused_by_proxy = transfer->proxy != CAI_PROXY_PASSES;
  transfer->headers_over_cap |= is_over_libcurls_cap(code, attempt.status);
  transfer->headers_malformed |= code == CURLE_BAD_FUNCTION_ARGUMENT && attempt.status > 0; /* a line that is none */
  if (transfer->body_over_cap || transfer->headers_over_cap || transfer->headers_malformed)
    attempt.failure = CAI_KIND_PROTOCOL;
  else if (transfer->no_memory)
    attempt.failure = CAI_KIND_NETWORK;
  time_t now = cai_transfer_date(transfer); /* a date is meant on the service's clock */
  for (int i = 0; i < CAI_RETRY_AFTERS && transfer->retry_after[i][0] != '\0'; i++) {
    double seconds = cai_retry_after_parse(transfer->retry_after[i], now == -1 ? time(NULL) : now);
    attempt.retry_after = seconds > attempt.retry_after ? seconds : attempt.retry_after;
  }
  if (attempt.failure == CAI_KIND_NONE)
    attempt.envelope = envelope_of(transfer);
  return attempt;
}

void cai_transfer_explain(cai_transfer *transfer, const char *words) {
  snprintf(transfer->error, sizeof transfer->error, "%s", words);
}

void cai_transfer_end(cai_transfer *transfer) {
  if (transfer->easy != NULL)
    curl_easy_cleanup(transfer->easy);
  transfer->easy = NULL;
}

void cai_transfer_clear(cai_transfer *transfer) {
  cai_transfer_end(transfer);
  cai_buffer_clear(&transfer->body);
  cai_buffer body = transfer->body;
  *transfer = (cai_transfer){.body = body};
}
