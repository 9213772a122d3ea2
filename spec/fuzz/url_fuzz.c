/* SPDX-License-Identifier: Apache-2.0 */
/* A line that is "p" to allow plain http, the base URL, and a line for each segment of a path; one that begins with "?"
 * is a query. What is accepted means the same to libcurl, which gets it as a text again. */
#include "../../src/core/url.h"
#include "fuzz.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define MOST_SEGMENTS 8

/* A part of a URL as libcurl reads it; NULL: it has none. Free with curl_free. */
static char *part_of(const char *text, CURLUPart part, unsigned int flags) {
  CURLU *url = curl_url();
  char *value = NULL;
  CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_PATH_AS_IS);
  REQUIRE(code == CURLUE_OK, "libcurl does not read \"%s\": %d", text, (int)code);
  curl_url_get(url, part, &value, flags);
  curl_url_cleanup(url);
  return value;
}

static void require_none(const char *text, CURLUPart part, const char *what) {
  char *value = part_of(text, part, 0);
  REQUIRE(value == NULL, "\"%s\" has %s \"%s\"", text, what, value);
}

/* By the system's reading of an address, not by ours. */
static bool is_this_machine(const char *host) {
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *found = NULL;
  char *bare = fuzz_copy(host + (host[0] == '['), strlen(host) - (host[0] == '[' ? 2 : 0));
  bool loopback = strcasecmp(bare, "localhost") == 0;
  if (getaddrinfo(bare, NULL, &hints, &found) == 0) {
    const struct sockaddr_in *v4 = (const void *)found->ai_addr;
    const struct sockaddr_in6 *v6 = (const void *)found->ai_addr;
    loopback = found->ai_family == AF_INET ? ntohl(v4->sin_addr.s_addr) >> 24 == 127
                                           : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) != 0;
    freeaddrinfo(found);
  }
  free(bare);
  return loopback;
}

/* What is accepted is safe to send a credential to, and is read again as what it is. */
static void require_sound(const cai_base_url *base, bool plain) {
  char message[CAI_MESSAGE_SIZE];
  cai_base_url again;
  size_t length = strlen(base->text);
  char *scheme = part_of(base->text, CURLUPART_SCHEME, 0), *host = part_of(base->text, CURLUPART_HOST, 0);
  REQUIRE(strcmp(scheme, base->tls ? "https" : "http") == 0, "\"%s\"", base->text);
  bool here = is_this_machine(host);
  REQUIRE(base->tls || plain || here, "plain http to \"%s\"", host);
  REQUIRE(!base->loopback || (here && !base->tls), "no loopback: \"%s\"", base->text);
  REQUIRE(base->origin <= length && base->text[length - 1] != '/', "\"%s\"", base->text);
  REQUIRE(base->origin == length || base->text[base->origin] == '/', "\"%s\": %zu", base->text, base->origin);
  for (size_t i = 0; i < length; i++)
    REQUIRE((unsigned char)base->text[i] > 0x20 && base->text[i] != 0x7f, "\"%s\"", base->text);
  require_none(base->text, CURLUPART_USER, "user");
  require_none(base->text, CURLUPART_PASSWORD, "password");
  require_none(base->text, CURLUPART_QUERY, "query");
  require_none(base->text, CURLUPART_FRAGMENT, "fragment");
  REQUIRE(cai_base_url_parse(&again, base->text, plain, message), "\"%s\" is refused again: %s", base->text, message);
  REQUIRE(strcmp(again.text, base->text) == 0 && again.origin == base->origin && again.tls == base->tls &&
              again.loopback == base->loopback,
          "\"%s\" is read again as \"%s\"", base->text, again.text);
  cai_base_url_clear(&again);
  curl_free(scheme);
  curl_free(host);
}

/* Takes "/a/b" apart and holds it against the segments. */
static void require_segments(const char *path, const cai_segment *segments, size_t count) {
  const char *at = path;
  for (size_t i = 0; i < count; i++) {
    REQUIRE(*at == '/', "segment %zu of \"%s\"", i, path);
    size_t escaped = strcspn(++at, "/");
    int length = 0;
    char *copy = fuzz_copy(at, escaped), *plain = curl_easy_unescape(NULL, copy, (int)escaped, &length);
    REQUIRE((size_t)length == segments[i].length && memcmp(plain, segments[i].bytes, segments[i].length) == 0,
            "segment %zu of \"%s\"", i, path);
    REQUIRE(strcmp(copy, ".") != 0 && strcmp(copy, "..") != 0, "\"%s\"", path);
    curl_free(plain);
    free(copy);
    at += escaped;
  }
  REQUIRE(*at == '\0', "\"%s\" goes on", path);
}

/* The whole URL as libcurl gets it: host, path and query are those that were put in. */
static void require_url(const cai_base_url *base, const char *path, const char *query) {
  char *url = NULL;
  if (asprintf(&url, "%s%s%s%s", base->text, path, query == NULL ? "" : "?", query == NULL ? "" : query) < 0)
    abort();
  char *host = part_of(url, CURLUPART_HOST, 0), *base_host = part_of(base->text, CURLUPART_HOST, 0);
  char *got = part_of(url, CURLUPART_PATH, 0), *asked = part_of(url, CURLUPART_QUERY, 0);
  REQUIRE(strcmp(host, base_host) == 0, "\"%s\" goes to \"%s\"", url, host);
  size_t prefix = strlen(base->text + base->origin);
  REQUIRE(strncmp(got, base->text + base->origin, prefix) == 0 && strcmp(got + prefix, path) == 0,
          "the path of \"%s\" is \"%s\"", url, got);
  REQUIRE(query == NULL ? asked == NULL : asked != NULL && strcmp(asked, query) == 0, "the query of \"%s\"", url);
  require_none(url, CURLUPART_FRAGMENT, "fragment");
  curl_free(host);
  curl_free(base_host);
  curl_free(got);
  curl_free(asked);
  free(url);
}

static void try_path(const cai_base_url *base, fuzz_input input) {
  cai_segment segments[MOST_SEGMENTS];
  char *lines[MOST_SEGMENTS], *query = NULL;
  size_t count = 0, held = 0;
  while (input.length > 0 && held < MOST_SEGMENTS && query == NULL) {
    size_t length;
    char *line = lines[held++] = fuzz_line(&input, &length);
    if (line[0] == '?' && cai_query_check(line + 1, length - 1))
      query = line + 1;
    else if (cai_segment_check((cai_segment){line, length}) == CAI_SEGMENT_GOOD)
      segments[count++] = (cai_segment){line, length};
  }
  char *path = cai_path_join(segments, count);
  require_segments(path, segments, count);
  if (base != NULL && count > 0)
    require_url(base, path, query);
  free(path);
  while (held > 0)
    free(lines[--held]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  fuzz_input input = {(const char *)bytes, length};
  char message[CAI_MESSAGE_SIZE] = "";
  size_t size;
  cai_base_url base;
  char *options = fuzz_line(&input, &size), *text = fuzz_line(&input, &size);
  bool plain = strcmp(options, "p") == 0, good = cai_base_url_parse(&base, text, plain, message);
  if (good) {
    require_none(text, CURLUPART_USER, "user");
    require_none(text, CURLUPART_PASSWORD, "password");
    require_sound(&base, plain);
  }
  REQUIRE(good || (base.text == NULL && message[0] != '\0'), "a refusal of \"%s\" without words", text);
  try_path(good ? &base : NULL, input);
  cai_base_url_clear(&base);
  free(options);
  free(text);
  return 0;
}
