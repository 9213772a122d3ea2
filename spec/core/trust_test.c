/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/trust.h"
#include "check.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define OPENSSL "OpenSSL/3.0.11"

/* A folder with one file in it, or none (NULL). */
static void make(char folder[64], const char *name) {
  char path[128];
  strcpy(folder, "/tmp/trust_test.XXXXXX");
  CHECK(mkdtemp(folder) != NULL);
  snprintf(path, sizeof path, "%s/%s", folder, name == NULL ? "" : name);
  if (name != NULL)
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static void take_away(const char *folder, const char *name) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, name == NULL ? "" : name);
  if (name != NULL)
    CHECK(unlink(path) == 0);
  CHECK(rmdir(folder) == 0);
}

static void hashed_names_make_a_hashed_folder(void) {
  static const struct {
    const char *name; /* NULL: an empty folder */
    bool hashed;
  } cases[] = {{"5ed36f99.0", true},   {"00000000.0", true},   {NULL, false},          {"5ed36f99.1", false},
               {"5ed36f99.r0", false}, {"5ed36f9.0", false},   {"5ed36f99a.0", false}, {"5ED36F99.0", false},
               {"5ed36f99", false},    {"5ed36f99.00", false}, {"ca.pem", false},      {"xed36f99.0", false}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char folder[64];
    make(folder, cases[i].name);
    CHECK_CASE(cai_trust_is_hashed(folder) == cases[i].hashed, "%s", cases[i].name == NULL ? "" : cases[i].name);
    take_away(folder, cases[i].name);
  }
  CHECK(!cai_trust_is_hashed("/nonexistent"));
  CHECK(!cai_trust_is_hashed("/etc/passwd"));
  CHECK(!cai_trust_is_hashed(""));
}

static void the_folder_is_chosen_where_it_serves(void) {
  static const struct {
    const char *library;
    bool folder;
  } cases[] = {{OPENSSL, true},
               {"LibreSSL/3.8.1", true},
               {"quictls/3.1.4", true},
               {"GnuTLS/3.7.9", false},
               {"NSS/3.87", false},
               {"(OpenSSL/3.0.11) GnuTLS/3.7.9", false},
               {"BoringSSL", false},
               {"", false},
               {NULL, false}};
  char folder[64];
  make(folder, "5ed36f99.0");
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    cai_trust trust = cai_trust_choose(cases[i].library, "/ca.pem", folder);
    CHECK_TEXT(trust.folder, cases[i].folder ? folder : NULL);
    CHECK_TEXT(trust.file, cases[i].folder ? NULL : "/ca.pem");
  }
  CHECK(cai_trust_choose(OPENSSL, NULL, folder).folder == folder);
  take_away(folder, "5ed36f99.0");
}

static void else_the_file_is(void) {
  char folder[64];
  make(folder, "ca.pem");
  cai_trust trust = cai_trust_choose(OPENSSL, "/ca.pem", folder);
  CHECK(trust.folder == NULL);
  CHECK_TEXT(trust.file, "/ca.pem");
  trust = cai_trust_choose(OPENSSL, "/ca.pem", NULL);
  CHECK(trust.folder == NULL);
  CHECK_TEXT(trust.file, "/ca.pem");
  trust = cai_trust_choose(OPENSSL, NULL, folder); /* neither: libcurl's own way */
  CHECK(trust.folder == NULL && trust.file == NULL);
  take_away(folder, "ca.pem");
}

static void a_folder_widens_to_the_file_and_nothing_else(void) {
  cai_trust trust = {.file = "/ca.pem"};
  CHECK(!cai_trust_widen(&trust));
  CHECK_TEXT(trust.file, "/ca.pem");
  trust = cai_trust_default();
  bool by_folder = trust.folder != NULL;
  CHECK(!by_folder || trust.file == NULL);
  if (cai_trust_widen(&trust))
    CHECK(by_folder && trust.folder == NULL && trust.file != NULL);
  CHECK(!cai_trust_widen(&trust));
}

int main(void) {
  hashed_names_make_a_hashed_folder();
  the_folder_is_chosen_where_it_serves();
  else_the_file_is();
  a_folder_widens_to_the_file_and_nothing_else();
  return check_end();
}
