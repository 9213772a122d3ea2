/* SPDX-License-Identifier: Apache-2.0 */
#include "url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_loopback(const char *host) {
  char address[64];
  size_t length = strlen(host);
  if (strcasecmp(host, "localhost") == 0)
    return true;
  if (length > 2 && host[0] == '[' && length < sizeof address) { /* libcurl keeps an IPv6 address in its brackets */
    memcpy(address, host + 1, length - 2);
    address[length - 2] = '\0';
    struct in6_addr v6;
    return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
  }
  struct in_addr v4;
  return inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

static bool has_part(CURLU *url, CURLUPart part) {
  char *text = NULL;
  bool present = curl_url_get(url, part, &text, 0) == CURLUE_OK;
  curl_free(text);
  return present;
}

typedef struct {
  char *scheme, *host, *port, *path;
} url_parts;

static CURLUcode get_parts(CURLU *url, url_parts *parts) {
  *parts = (url_parts){NULL, NULL, NULL, NULL};
  CURLUcode code = curl_url_get(url, CURLUPART_SCHEME, &parts->scheme, 0);
  if (code == CURLUE_OK)
    code = curl_url_get(url, CURLUPART_HOST, &parts->host, 0);
  if (code == CURLUE_OK)
    code = curl_url_get(url, CURLUPART_PATH, &parts->path, 0);
  if (code == CURLUE_OK)
    code = curl_url_get(url, CURLUPART_PORT, &parts->port, 0);
  return code == CURLUE_NO_PORT ? CURLUE_OK : code;
}

static void free_parts(url_parts *parts) {
  curl_free(parts->scheme);
  curl_free(parts->host);
  curl_free(parts->port);
  curl_free(parts->path);
}

static bool write_base(cai_base_url *base, const url_parts *parts) {
  size_t path = strlen(parts->path);
  while (path > 0 && parts->path[path - 1] == '/')
    path--;
  const char *colon = parts->port == NULL ? "" : ":";
  const char *port = parts->port == NULL ? "" : parts->port;
  size_t size = strlen(parts->scheme) + 3 + strlen(parts->host) + 1 + strlen(port) + path + 1;
  base->text = malloc(size);
  if (base->text == NULL)
    return false;
  int length =
      snprintf(base->text, size, "%s://%s%s%s%.*s", parts->scheme, parts->host, colon, port, (int)path, parts->path);
  base->origin = (size_t)length - path;
  return true;
}

static const char *host_of(const char *text) {
  const char *host = text + strcspn(text, ":");
  return host + strspn(host, ":/");
}

/* Some libcurls translate such a name, others ask for it as it is: each call would fail. */
static bool has_foreign_host(const char *text) {
  for (const char *host = host_of(text); *host != '\0' && *host != '/'; host++)
    if ((unsigned char)*host >= 0x80)
      return true;
  return false;
}

/* libcurl unescapes a host, and reads the URL made of it once more: %33 is the name 3 first, and then 0.0.0.3. */
static bool has_escaped_host(const char *text) {
  const char *host = host_of(text);
  return memchr(host, '%', strcspn(host, "/")) != NULL;
}

/* What the rules say against the text and its parsed parts, or NULL. */
static const char *complaint(CURLU *url, const char *text, const url_parts *parts, bool allow_plain_http) {
  if (strcmp(parts->scheme, "https") != 0 && strcmp(parts->scheme, "http") != 0)
    return "base_url must begin with https://";
  if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
    return "base_url must not hold a user name or a password";
  if (has_part(url, CURLUPART_ZONEID))
    return "base_url must not have an IPv6 zone";
  if (has_escaped_host(text))
    return "base_url must not have an escape, %, in its host";
  if (has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT))
    return "base_url must not have a query or a fragment";
  if (strcmp(parts->scheme, "http") == 0 && !is_loopback(parts->host) && !allow_plain_http)
    return "base_url is plain http, which would show the api key to the network: use https://, or set "
           "allow_plain_http = true if that is what you want";
  return NULL;
}

#define NO_URL "base_url is not a URL: it must look like https://api.example.com"

static bool refuse(char message[CAI_MESSAGE_SIZE], const char *text) {
  snprintf(message, CAI_MESSAGE_SIZE, "%s", text);
  return false;
}

/* Blanks and control characters, which libcurl before 7.78 takes in a path. */
static bool has_blanks(const char *text) {
  while ((unsigned char)*text > 0x20 && *text != 0x7f)
    text++;
  return *text != '\0';
}

bool cai_base_url_parse(cai_base_url *base, const char *text, bool allow_plain_http, char message[CAI_MESSAGE_SIZE]) {
  *base = (cai_base_url){.text = NULL};
  /* libcurl drops an empty query or fragment without a word, so they are looked for here. */
  if (strpbrk(text, "?#") != NULL)
    return refuse(message, "base_url must not have a query or a fragment");
  if (has_blanks(text))
    return refuse(message, NO_URL);
  if (has_foreign_host(text))
    return refuse(message, "base_url has a host name that is not ASCII: write it as xn--...");
  CURLU *url = curl_url();
  if (url == NULL)
    return refuse(message, "base_url: out of memory");
  url_parts parts = {NULL, NULL, NULL, NULL};
  bool good = false;
  CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
  if (code == CURLUE_OK)
    code = get_parts(url, &parts);
  if (code == CURLUE_OUT_OF_MEMORY) {
    refuse(message, "base_url: out of memory");
  } else if (code != CURLUE_OK) {
    refuse(message, NO_URL);
  } else {
    const char *wrong = complaint(url, text, &parts, allow_plain_http);
    if (wrong == NULL && !write_base(base, &parts))
      wrong = "base_url: out of memory";
    good = wrong == NULL || refuse(message, wrong);
    base->tls = good && strcmp(parts.scheme, "https") == 0;
    base->loopback = good && strcmp(parts.scheme, "http") == 0 && is_loopback(parts.host);
  }
  free_parts(&parts);
  curl_url_cleanup(url);
  return good;
}

void cai_base_url_clear(cai_base_url *base) {
  free(base->text);
  base->text = NULL;
}

cai_segment_fault cai_segment_check(cai_segment segment) {
  if (segment.length == 0)
    return CAI_SEGMENT_EMPTY;
  if (segment.bytes[0] == '.' && (segment.length == 1 || (segment.length == 2 && segment.bytes[1] == '.')))
    return CAI_SEGMENT_DOTS;
  for (size_t i = 0; i < segment.length; i++) {
    unsigned char c = (unsigned char)segment.bytes[i];
    if (c < 0x20 || c == 0x7f)
      return CAI_SEGMENT_CONTROL;
  }
  return CAI_SEGMENT_GOOD;
}

static bool is_unreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

bool cai_query_check(const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (!is_unreserved((unsigned char)bytes[i]) && (bytes[i] == '\0' || strchr("=&%", bytes[i]) == NULL))
      return false;
  }
  return length > 0;
}

static char *escape(char *out, cai_segment segment) {
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < segment.length; i++) {
    unsigned char c = (unsigned char)segment.bytes[i];
    if (is_unreserved(c)) {
      *out++ = (char)c;
    } else {
      *out++ = '%';
      *out++ = digits[c >> 4];
      *out++ = digits[c & 15];
    }
  }
  return out;
}

char *cai_path_join(const cai_segment *segments, size_t count) {
  size_t size = 1;
  for (size_t i = 0; i < count; i++)
    size += 1 + 3 * segments[i].length;
  char *path = malloc(size);
  if (path == NULL)
    return NULL;
  char *out = path;
  for (size_t i = 0; i < count; i++) {
    *out++ = '/';
    out = escape(out, segments[i]);
  }
  *out = '\0';
  return path;
}
