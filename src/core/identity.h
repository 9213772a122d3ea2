/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_IDENTITY_H
#define CAI_IDENTITY_H

#include "secret.h"

#include <curl/curl.h>

/* As whom a call goes: a credential and the headers that carry it. Clients and calls share it, so that a call keeps its
 * own when its client gets another. */
typedef struct {
  unsigned references;
  cai_secret *secret;
  struct curl_slist *headers, *json_headers; /* without and with a body; they hold the secret */
} cai_identity;

/* One with one reference, of `length` bytes that cai_credential_check finds printable. NULL: out of memory. */
cai_identity *cai_identity_new(const char *bytes, size_t length);

cai_identity *cai_identity_retain(cai_identity *identity);
void cai_identity_release(cai_identity *identity); /* accepts NULL; the last one wipes and frees */

#endif
