/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include "credential.h"
#include "proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is wrong with the credential, or NULL. The key itself is in no message. */
static const char *credential_complaint(const char *bytes, size_t length) {
  switch (cai_credential_check(bytes, length)) {
  case CAI_CREDENTIAL_EMPTY:
    return "api_key is empty: pass api_key, or set CONFIDENT_ORG_API_KEY to an organization key";
  case CAI_CREDENTIAL_UNPRINTABLE:
    return "api_key holds white space, a control character or a character beyond ASCII: copy the key again, without "
           "blanks or line ends around it";
  case CAI_CREDENTIAL_WRAPPED:
    return "api_key has something in front of the key, such as a quotation mark or another key: confident_ is the "
           "first word of a key, and in it once";
  case CAI_CREDENTIAL_PROJECT_KEY:
    return "api_key is a key of a project, which can manage nothing: an organization key is needed";
  case CAI_CREDENTIAL_GLOBAL_KEY:
    return "api_key is a global key, which works in every project and can manage nothing: an organization key is "
           "needed";
  case CAI_CREDENTIAL_GOOD:
    break;
  }
  return NULL;
}

static bool is_readable_file(const char *path) {
  struct stat facts;
  return stat(path, &facts) == 0 && S_ISREG(facts.st_mode) && access(path, R_OK) == 0;
}

static const char *complaint(const cai_client_options *options) {
  const char *wrong = credential_complaint(options->credential, options->credential_length);
  if (wrong != NULL)
    return wrong;
  if (options->ca_file != NULL && !is_readable_file(options->ca_file))
    return "ca_file cannot be read: it must be the path of a PEM file with the certificate authority";
  return NULL;
}

/* What is wrong with the proxy, or NULL. libcurl decides whether one of the environment with exceptions is used. */
static const char *proxy_complaint(const cai_client_options *options, const char *proxy) {
  bool may_be_unused = options->proxy == NULL && cai_no_proxy_of_environment()[0] != '\0';
  return may_be_unused ? NULL : cai_proxy_complaint(proxy);
}

static char *copy(const char *text) {
  size_t size = strlen(text) + 1;
  char *copied = malloc(size);
  if (copied != NULL)
    memcpy(copied, text, size);
  return copied;
}

/* False: out of memory. */
static bool fill(cai_client *client, const cai_client_options *options, const char *proxy) {
  client->timeout = options->timeout;
  client->connect_timeout = options->connect_timeout;
  client->deadline = options->deadline;
  client->max_retries = options->max_retries;
  client->max_connections = options->max_connections;
  client->max_response_bytes = options->max_response_bytes;
  client->identity = cai_identity_new(options->credential, options->credential_length);
  if (client->identity == NULL)
    return false;
  client->proxy = copy(proxy);
  client->no_proxy = copy(cai_no_proxy_of_environment());
  if (client->proxy == NULL || client->no_proxy == NULL)
    return false;
  if (options->ca_file != NULL && (client->ca_file = copy(options->ca_file)) == NULL)
    return false;
  if (client->ca_file != NULL)
    client->trust.file = client->ca_file;
  else if (client->base.tls)
    client->trust = cai_trust_default();
  return true;
}

cai_client *cai_client_new(const cai_client_options *options, char message[CAI_MESSAGE_SIZE]) {
  const char *wrong = complaint(options);
  if (wrong != NULL) {
    snprintf(message, CAI_MESSAGE_SIZE, "%s", wrong);
    return NULL;
  }
  cai_client *client = calloc(1, sizeof *client);
  if (client == NULL) {
    snprintf(message, CAI_MESSAGE_SIZE, "out of memory");
    return NULL;
  }
  client->references = 1;
  if (!cai_base_url_parse(&client->base, options->base_url, options->allow_plain_http, message)) {
    cai_client_release(client);
    return NULL;
  }
  const char *proxy = options->proxy != NULL ? options->proxy : cai_proxy_of_environment(&client->base);
  wrong = proxy_complaint(options, proxy);
  if (wrong == NULL && !fill(client, options, proxy))
    wrong = "out of memory";
  if (wrong != NULL) {
    snprintf(message, CAI_MESSAGE_SIZE, "%s", wrong);
    cai_client_release(client);
    return NULL;
  }
  return client;
}

bool cai_client_replace_credential(cai_client *client, const char *bytes, size_t length,
                                   char message[CAI_MESSAGE_SIZE]) {
  const char *wrong = credential_complaint(bytes, length);
  cai_identity *identity = wrong == NULL ? cai_identity_new(bytes, length) : NULL;
  if (identity == NULL) {
    snprintf(message, CAI_MESSAGE_SIZE, "%s", wrong != NULL ? wrong : "out of memory");
    return false;
  }
  cai_identity_release(client->identity);
  client->identity = identity;
  return true;
}

cai_client *cai_client_retain(cai_client *client) {
  client->references++;
  return client;
}

void cai_client_release(cai_client *client) {
  if (client == NULL || --client->references > 0)
    return;
  cai_identity_release(client->identity);
  cai_base_url_clear(&client->base);
  if (client->proxy != NULL)
    cai_wipe(client->proxy, strlen(client->proxy)); /* may hold a password */
  free(client->proxy);
  free(client->no_proxy);
  free(client->ca_file);
  free(client);
}
