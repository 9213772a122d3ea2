/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include "version.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Appends "name: value" to a list. False: out of memory, the list is as it was. */
static bool add_header(struct curl_slist **list, const char *name, const char *value) {
  size_t size = strlen(name) + 2 + strlen(value) + 1;
  char *line = malloc(size);
  if (line == NULL)
    return false;
  snprintf(line, size, "%s: %s", name, value);
  struct curl_slist *longer = curl_slist_append(*list, line);
  cai_wipe(line, size);
  free(line);
  if (longer != NULL)
    *list = longer;
  return longer != NULL;
}

static void free_headers(struct curl_slist *list) {
  for (struct curl_slist *header = list; header != NULL; header = header->next)
    cai_wipe(header->data, strlen(header->data));
  curl_slist_free_all(list);
}

static bool add_common_headers(struct curl_slist **list, const char *credential) {
  return add_header(list, "CONFIDENT_API_KEY", credential) &&
         add_header(list, "X-Confident-SDK-Version", "confidentai-lua/" CAI_VERSION) &&
         add_header(list, "Accept", "application/json");
}

/* False: out of memory. */
static bool fill(cai_identity *identity, const char *bytes, size_t length) {
  identity->secret = cai_secret_new(bytes, length);
  /* "Expect:" takes the header away that libcurl would add to a long body: it costs a round trip, and libcurl sends
   * the request once more when a server refuses it. */
  return identity->secret != NULL && add_common_headers(&identity->headers, identity->secret->bytes) &&
         add_common_headers(&identity->json_headers, identity->secret->bytes) &&
         add_header(&identity->json_headers, "Content-Type", "application/json") &&
         add_header(&identity->json_headers, "Expect", "");
}

cai_identity *cai_identity_new(const char *bytes, size_t length) {
  cai_identity *identity = calloc(1, sizeof *identity);
  if (identity == NULL)
    return NULL;
  identity->references = 1;
  if (fill(identity, bytes, length))
    return identity;
  cai_identity_release(identity);
  return NULL;
}

cai_identity *cai_identity_retain(cai_identity *identity) {
  identity->references++;
  return identity;
}

void cai_identity_release(cai_identity *identity) {
  if (identity == NULL || --identity->references > 0)
    return;
  free_headers(identity->headers);
  free_headers(identity->json_headers);
  cai_secret_free(identity->secret);
  free(identity);
}
