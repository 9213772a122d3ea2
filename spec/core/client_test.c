/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/client.h"
#include "allocator.h"
#include "check.h"

#include <curl/curl.h>

#define KEY "confident_us_org_0123456789abcdef"

static cai_client_options options(void) {
  return (cai_client_options){.base_url = "https://h.example/prefix/",
                              .credential = KEY,
                              .credential_length = strlen(KEY),
                              .timeout = 30000,
                              .connect_timeout = 10000,
                              .max_retries = 3,
                              .max_response_bytes = 1000};
}

static bool has_header(const struct curl_slist *list, const char *line) {
  int count = 0;
  for (; list != NULL; list = list->next)
    count += strcmp(list->data, line) == 0;
  return count == 1;
}

static void it_copies_what_it_is_given(void) {
  char message[CAI_MESSAGE_SIZE], key[] = KEY, proxy[] = "http://u:p@proxy.example:1", ca_file[] = "/etc/passwd";
  cai_client_options o = options();
  o.credential = key;
  o.proxy = proxy;
  o.ca_file = ca_file;
  cai_client *client = cai_client_new(&o, message);
  memset(key, '-', sizeof key - 1);
  memset(proxy, '-', sizeof proxy - 1);
  memset(ca_file, '-', sizeof ca_file - 1);
  CHECK_TEXT(client->base.text, "https://h.example/prefix");
  CHECK_TEXT(client->identity->secret->bytes, KEY);
  CHECK_TEXT(client->proxy, "http://u:p@proxy.example:1");
  CHECK_TEXT(client->ca_file, "/etc/passwd");
  CHECK(client->timeout == 30000 && client->connect_timeout == 10000);
  CHECK(client->max_retries == 3 && client->max_response_bytes == 1000);
  cai_client_release(client);
}

static void its_headers_are_ready(void) {
  char message[CAI_MESSAGE_SIZE];
  cai_client_options o = options();
  cai_client *client = cai_client_new(&o, message);
  CHECK(has_header(client->identity->headers, "CONFIDENT_API_KEY: " KEY));
  CHECK(has_header(client->identity->json_headers, "CONFIDENT_API_KEY: " KEY));
  CHECK(has_header(client->identity->json_headers, "Content-Type: application/json"));
  CHECK(!has_header(client->identity->headers, "Content-Type: application/json"));
  cai_client_release(client);
}

/* One option at a time is wrong; the message names it and never holds the key. */
static void each_wrong_option_is_named(void) {
  char message[CAI_MESSAGE_SIZE];
  for (int wrong = 0; wrong < 6; wrong++) {
    static const char *const names[] = {"api_key", "api_key", "api_key", "proxy", "ca_file", "base_url"};
    cai_client_options o = options();
    if (wrong == 0)
      o.credential_length = 0;
    if (wrong == 1)
      o.credential = "confident_us_org 0123456789abcdef";
    if (wrong == 2)
      o.credential = "confident_us_proj_012345678abcdef";
    if (wrong == 3)
      o.proxy = "ftp://user:0123456789@proxy.example";
    if (wrong == 4)
      o.ca_file = "/nonexistent/ca.pem";
    if (wrong == 5)
      o.base_url = "http://user:0123456789@h.example";
    message[0] = '\0';
    CHECK(cai_client_new(&o, message) == NULL);
    CHECK_CASE(strncmp(message, names[wrong], strlen(names[wrong])) == 0, "%d: %s", wrong, message);
    CHECK_CASE(strstr(message, "0123456") == NULL, "%s", message);
  }
}

static void the_last_reference_wipes(void) {
  char message[CAI_MESSAGE_SIZE];
  cai_client_options o = options();
  o.proxy = "http://user:0123456789abcdef@proxy.example";
  cai_client *client = cai_client_new(&o, message);
  cai_client_retain(client);
  allocator_watch("0123456789abcdef");
  cai_client_release(client);
  CHECK_TEXT(client->identity->secret->bytes, KEY); /* still ours */
  cai_client_release(client);
  CHECK(allocator_seen() == 0);
  allocator_watch(NULL);
  cai_client_release(NULL);
}

static void another_credential_takes_its_place(void) {
  static const char other[] = "confident_eu_org_fedcba9876543210";
  char message[CAI_MESSAGE_SIZE] = "";
  cai_client_options o = options();
  cai_client *client = cai_client_new(&o, message);
  cai_identity *in_flight = cai_identity_retain(client->identity); /* as a call does */
  static const char *const wrong[] = {"", "a b", "confident_proj_fedcba9876543210"};
  for (int i = 0; i < 3; i++) {
    CHECK(!cai_client_replace_credential(client, wrong[i], strlen(wrong[i]), message));
    CHECK(strncmp(message, "api_key", 7) == 0 && strstr(message, "fedcba") == NULL);
    CHECK(client->identity == in_flight);
  }
  allocator_watch("0123456789abcdef");
  CHECK(cai_client_replace_credential(client, other, strlen(other), message));
  CHECK_TEXT(client->identity->secret->bytes, other);
  CHECK(has_header(client->identity->headers, "CONFIDENT_API_KEY: confident_eu_org_fedcba9876543210"));
  CHECK(has_header(in_flight->headers, "CONFIDENT_API_KEY: " KEY));
  cai_identity_release(in_flight);
  CHECK(allocator_seen() == 0);
  allocator_watch(NULL);
  cai_client_release(client);
}

static void without_memory_the_credential_stays(void) {
  char message[CAI_MESSAGE_SIZE] = "";
  cai_client_options o = options();
  cai_client *client = cai_client_new(&o, message);
  bool done = false;
  for (long n = 1; !done; n++) {
    cai_identity *before = client->identity;
    long alive = allocator_alive();
    allocator_fail_from(n);
    done = cai_client_replace_credential(client, "another", 7, message);
    allocator_fail_from(0);
    CHECK_CASE(done || (client->identity == before && allocator_alive() == alive), "allocation %ld", n);
    CHECK_CASE(done || strcmp(message, "out of memory") == 0, "allocation %ld: %s", n, message);
  }
  CHECK_TEXT(client->identity->secret->bytes, "another");
  cai_client_release(client);
}

/* Each allocation in turn is the first to fail: no crash, no leak, and a message. */
static void without_memory_there_is_no_client(void) {
  cai_client_options o = options();
  o.proxy = "http://proxy.example"; /* libcurl calls it a bad login where there is one */
  o.ca_file = "/etc/passwd";
  long tried = 0;
  for (bool done = false; !done;) {
    char message[CAI_MESSAGE_SIZE] = "";
    long before = allocator_alive();
    allocator_fail_from(++tried);
    cai_client *client = cai_client_new(&o, message);
    done = !allocator_failed();
    allocator_fail_from(0);
    CHECK_CASE((client != NULL) == done, "allocation %ld", tried);
    CHECK_CASE(done || message[0] != '\0', "allocation %ld", tried);
    cai_client_release(client);
    CHECK_CASE(allocator_alive() == before, "allocation %ld", tried);
  }
  CHECK(tried > 10);
}

/* Out of memory is no mistake of the user's in an option. */
static void out_of_memory_is_called_so(void) {
  cai_client_options o = options();
  o.proxy = "http://proxy.example"; /* libcurl calls it a bad login where there is one */
  char message[CAI_MESSAGE_SIZE] = "", wrong[CAI_MESSAGE_SIZE] = "";
  int others = 0;
  for (long n = 1; strcmp(message, "made") != 0; n++) {
    allocator_fail_from(n);
    cai_client *client = cai_client_new(&o, message);
    allocator_fail_from(0);
    if (client != NULL)
      strcpy(message, "made");
    else if (strstr(message, "memory") == NULL && others++ == 0)
      strcpy(wrong, message);
    cai_client_release(client);
  }
  CHECK_CASE(others == 0, "%d allocations are called something else, such as: %s", others, wrong);
}

int main(void) {
  CHECK(allocator_take_curl());
  long before = allocator_alive();
  it_copies_what_it_is_given();
  its_headers_are_ready();
  each_wrong_option_is_named();
  the_last_reference_wipes();
  another_credential_takes_its_place();
  without_memory_the_credential_stays();
  without_memory_there_is_no_client();
  out_of_memory_is_called_so();
  CHECK(allocator_alive() == before);
  return check_end();
}
