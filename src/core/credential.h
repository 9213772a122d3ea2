/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_CREDENTIAL_H
#define CAI_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
  CAI_CREDENTIAL_GOOD = 0,
  CAI_CREDENTIAL_EMPTY,
  CAI_CREDENTIAL_UNPRINTABLE, /* white space, control characters or bytes beyond ASCII */
  CAI_CREDENTIAL_WRAPPED,     /* holds a key, but not at its beginning: behind a quotation mark, for example */
  CAI_CREDENTIAL_PROJECT_KEY, /* by its prefix: a key of a project, which may manage nothing */
  CAI_CREDENTIAL_GLOBAL_KEY   /* by its prefix: a key for all projects, which may manage nothing either */
} cai_credential_fault;

/* Whether `length` bytes can serve as the organization key of a client. */
cai_credential_fault cai_credential_check(const char *bytes, size_t length);

/* "US", "EU" or "AU" by the key's prefix, or NULL when it names no region (docs/platform.md, "choice of base URL"). */
const char *cai_credential_region(const char *bytes, size_t length);

#endif
