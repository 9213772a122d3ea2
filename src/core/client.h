/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_CLIENT_H
#define CAI_CLIENT_H

#include "error.h"
#include "identity.h"
#include "trust.h"
#include "url.h"

#include <stdbool.h>
#include <stddef.h>

/* Where calls go and as whom: a base URL, a credential, limits. It knows no engine: calls carry it to theirs. */

/* The most retries that a client may ask for. */
#define CAI_MAX_RETRIES_LIMIT 20

typedef struct {
  const char *base_url;
  bool allow_plain_http;
  const char *credential; /* `credential_length` printable bytes */
  size_t credential_length;
  long timeout, connect_timeout; /* milliseconds, each attempt */
  long deadline;                 /* milliseconds, a whole call; 0: none */
  int max_retries;               /* 0 to CAI_MAX_RETRIES_LIMIT */
  int max_connections;           /* to one host; 0: any number */
  size_t max_response_bytes;
  const char *proxy, *ca_file; /* NULL: of the environment, now; as libcurl is set up */
} cai_client_options;

typedef struct cai_client {
  unsigned references;
  cai_base_url base;
  cai_identity *identity; /* a reference */
  long timeout, connect_timeout, deadline;
  int max_retries, max_connections;
  size_t max_response_bytes;
  char *proxy, *no_proxy; /* read when the client is made, as nginx takes the environment away later; "": none */
  char *ca_file;          /* NULL: as libcurl is set up */
  cai_trust trust;
} cai_client;

/* A client with one reference. NULL: `message` names the option that is wrong and the remedy. */
cai_client *cai_client_new(const cai_client_options *options, char message[CAI_MESSAGE_SIZE]);

/* Has later calls sent with another credential; those that were made before keep theirs. False: the client is as it
 * was, and `message` says what is wrong, as that of cai_client_new does. */
bool cai_client_replace_credential(cai_client *client, const char *bytes, size_t length,
                                   char message[CAI_MESSAGE_SIZE]);

cai_client *cai_client_retain(cai_client *client);
void cai_client_release(cai_client *client); /* accepts NULL; the last one wipes and frees */

#endif
