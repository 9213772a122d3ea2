/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_TRUST_H
#define CAI_TRUST_H

#include <stdbool.h>

/* Where TLS looks for the authorities that it trusts. Both NULL: as libcurl is set up. With both, libcurl reads the
 * file anew for each connection, at some 30 ms of CPU where it is a whole system's; a file alone it reads once. Out of
 * a folder, OpenSSL reads only the certificates that it needs, for each connection: 3 ms for the first connection, and
 * 0.4 more than with a file for each other. */
typedef struct {
  const char *file, *folder;
} cai_trust;

/* Whether a folder holds certificates under the hashes of their names, such as 5ed36f99.0
 * (https://docs.openssl.org/3.0/man1/openssl-rehash/). */
bool cai_trust_is_hashed(const char *folder);

/* The cheapest way to trust what libcurl does, given its TLS library and its own file and folder (NULL: none). */
cai_trust cai_trust_choose(const char *tls_library, const char *file, const char *folder);

/* Likewise for the libcurl at hand; its strings live as long as the process. */
cai_trust cai_trust_default(void);

/* What else libcurl would trust, for when a certificate was refused: an authority may be in the file only, where
 * somebody appended it. False: nothing else. */
bool cai_trust_widen(cai_trust *trust);

#endif
