/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_SECRET_H
#define CAI_SECRET_H

#include <stddef.h>

/* Characters of a secret that a mask shows, and the asterisks before them, as the service does (docs/platform.md). */
#define CAI_MASK_SHOWN ((size_t)6)
#define CAI_MASK_STARS ((size_t)15)
#define CAI_MASK_SIZE (CAI_MASK_STARS + CAI_MASK_SHOWN + 1)

/* A copy of a secret, wiped when it is freed. `bytes` ends in NUL. */
typedef struct {
  size_t length;
  char bytes[];
} cai_secret;

/* Overwrites memory in a way that the compiler may not drop. `bytes` may be NULL when `length` is 0. */
void cai_wipe(void *bytes, size_t length);

/* Copies `length` bytes. NULL: out of memory. Free with cai_secret_free, which accepts NULL. */
cai_secret *cai_secret_new(const char *bytes, size_t length);
void cai_secret_free(cai_secret *secret);

/* Writes the masked form of a secret. One shorter than three times what a mask shows is hidden altogether. */
void cai_mask(const char *bytes, size_t length, char mask[CAI_MASK_SIZE]);

/* Writes the mask of a value that the service shows, which may be masked already, in whatever form: up to 6 characters
 * that are certainly the end of the secret. */
void cai_mask_shown(const char *value, size_t length, char mask[CAI_MASK_SIZE]);

/* Makes text of foreign origin fit for a message, in place: whatever looks like a secret of the service
 * ("confident_..."), and every occurrence of `credential` and `other` (each may be NULL; one under 8 bytes is taken for
 * no secret), keeps at most its last 6 characters, and control characters become blanks. `text` ends in NUL and keeps
 * its length. What is shown is cleaned by cai_display_clean, too. */
void cai_redact(char *text, const cai_secret *credential, const cai_secret *other);

#endif
