/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include "display.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool cai_trace_is_wanted(void) {
  const char *value = getenv("CONFIDENTAI_DEBUG");
  return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

/* Returns the length of the name of a header whose value is a credential, or 0. */
static size_t secret_header(const char *line) {
  static const char *const names[] = {
      "CONFIDENT-API-KEY", "CONFIDENT_API_KEY", "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    size_t length = strlen(names[i]);
    if (strncasecmp(line, names[i], length) == 0 && line[length] == ':')
      return length;
  }
  return 0;
}

/* Writes one line, which is changed. */
static void show(const char *mark, char *line, const cai_secret *credential) {
  size_t hidden = secret_header(line);
  cai_redact(line, credential, NULL);
  line[cai_display_clean(line, strlen(line), false)] = '\0';
  if (hidden > 0)
    fprintf(stderr, "%s %.*s: (hidden)\n", mark, (int)hidden, line);
  else
    fprintf(stderr, "%s %s\n", mark, line);
}

static int on_debug(CURL *easy, curl_infotype type, char *bytes, size_t length, void *user) {
  const char *mark = type == CURLINFO_TEXT ? "*" : type == CURLINFO_HEADER_OUT ? ">" : "<";
  (void)easy;
  if (type != CURLINFO_TEXT && type != CURLINFO_HEADER_OUT && type != CURLINFO_HEADER_IN)
    return 0;
  char *text = malloc(length + 1);
  if (text == NULL)
    return 0;
  memcpy(text, bytes, length);
  text[length] = '\0';
  for (char *line = text, *end; *line != '\0'; line = end) {
    end = line + strcspn(line, "\r\n");
    char *next = end + strspn(end, "\r\n");
    *end = '\0';
    show(mark, line, user);
    end = next;
  }
  cai_wipe(text, length);
  free(text);
  return 0;
}

CURLcode cai_trace_apply(CURL *easy, const cai_secret *credential) {
  CURLcode code = curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
  code |= curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_debug);
  code |= curl_easy_setopt(easy, CURLOPT_DEBUGDATA, (void *)credential);
  return code;
}
