/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_BUFFER_H
#define CAI_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cai_block cai_block;

/* The body of an answer: capped, and wiped when it is cleared. It grows by blocks, so that growing never leaves an
 * unwiped copy of a secret behind, as realloc would. */
typedef struct {
  cai_block *first, *last;
  size_t length, limit; /* bytes */
} cai_buffer;

typedef enum { CAI_BUFFER_OK = 0, CAI_BUFFER_FULL, CAI_BUFFER_NO_MEMORY } cai_buffer_result;

/* An empty buffer that holds at most `limit` bytes. It owns nothing yet. */
void cai_buffer_init(cai_buffer *buffer, size_t limit);

/* Says how many bytes are to come (Content-Length), so that they fit one block. FULL: more than the limit. */
cai_buffer_result cai_buffer_expect(cai_buffer *buffer, size_t length);

/* Appends all `length` bytes or none. FULL: the limit would be passed. */
cai_buffer_result cai_buffer_append(cai_buffer *buffer, const char *bytes, size_t length);

/* The content in one piece, valid until the buffer changes; "" when empty. NULL: out of memory. */
const char *cai_buffer_join(cai_buffer *buffer);

/* Wipes and frees the content; the limit stays. Idempotent. */
void cai_buffer_clear(cai_buffer *buffer);

#endif
