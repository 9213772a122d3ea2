/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_ENVELOPE_H
#define CAI_ENVELOPE_H

#include <stddef.h>

/* Decides whether an answer is the service's own word (docs/platform.md, "Envelope"). A proxy, a load balancer or a
 * cache answers with statuses of the same numbers: only the envelope tells them apart. */

typedef enum {
  CAI_ENVELOPE_NONE = 0, /* another body: nothing can be concluded from it */
  CAI_ENVELOPE_SUCCESS,  /* `success` is true */
  CAI_ENVELOPE_FAILURE   /* `success` is false */
} cai_envelope;

/* The deepest nesting of an answer that is read. The service nests four deep; the rest is for fields to come. */
#define CAI_ENVELOPE_DEPTH 32

/* Reads a whole body of `length` bytes. It is an envelope if it is exactly one JSON object (RFC 8259, without a byte
 * order mark, nested at most CAI_ENVELOPE_DEPTH deep) with exactly one member named "success", a boolean. Texts need
 * not be UTF-8: one name that is broken must not hide all others. Allocates nothing, looks at each byte a fixed number
 * of times, and depends on no locale. */
cai_envelope cai_envelope_read(const char *text, size_t length);

#endif
