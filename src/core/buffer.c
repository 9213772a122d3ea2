/* SPDX-License-Identifier: Apache-2.0 */
#include "buffer.h"

#include "secret.h"

#include <stdlib.h>
#include <string.h>

/* An answer of a few keys fits the first block; later ones double what is there, up to the largest. */
#define SMALLEST_BLOCK ((size_t)4096)
#define LARGEST_BLOCK ((size_t)1 << 20)

struct cai_block {
  cai_block *next;
  size_t length, capacity;
  char bytes[];
};

void cai_buffer_init(cai_buffer *buffer, size_t limit) {
  *buffer = (cai_buffer){.limit = limit};
}

static cai_block *add_block(cai_buffer *buffer, size_t capacity) {
  cai_block *block = malloc(sizeof *block + capacity);
  if (block == NULL)
    return NULL;
  *block = (cai_block){.capacity = capacity};
  if (buffer->last == NULL)
    buffer->first = block;
  else
    buffer->last->next = block;
  buffer->last = block;
  return block;
}

cai_buffer_result cai_buffer_expect(cai_buffer *buffer, size_t length) {
  if (length > buffer->limit)
    return CAI_BUFFER_FULL;
  /* A liar's length must cost nothing: past the largest block, the bytes have to come first. */
  if (buffer->first == NULL && length > SMALLEST_BLOCK && length <= LARGEST_BLOCK && add_block(buffer, length) == NULL)
    return CAI_BUFFER_NO_MEMORY;
  return CAI_BUFFER_OK;
}

static size_t next_capacity(const cai_buffer *buffer, size_t wanted) {
  size_t capacity = buffer->length < SMALLEST_BLOCK ? SMALLEST_BLOCK : buffer->length;
  if (capacity > LARGEST_BLOCK)
    capacity = LARGEST_BLOCK;
  return capacity < wanted ? wanted : capacity;
}

cai_buffer_result cai_buffer_append(cai_buffer *buffer, const char *bytes, size_t length) {
  if (length > buffer->limit - buffer->length)
    return CAI_BUFFER_FULL;
  cai_block *block = buffer->last;
  size_t room = block == NULL ? 0 : block->capacity - block->length;
  size_t head = length < room ? length : room;
  cai_block *tail = NULL;
  if (head < length) {
    tail = add_block(buffer, next_capacity(buffer, length - head));
    if (tail == NULL)
      return CAI_BUFFER_NO_MEMORY;
    memcpy(tail->bytes, bytes + head, length - head);
    tail->length = length - head;
  }
  if (head > 0) {
    memcpy(block->bytes + block->length, bytes, head);
    block->length += head;
  }
  buffer->length += length;
  return CAI_BUFFER_OK;
}

static void free_block(cai_block *block) {
  cai_wipe(block->bytes, block->length);
  free(block);
}

const char *cai_buffer_join(cai_buffer *buffer) {
  if (buffer->length == 0)
    return "";
  if (buffer->first == buffer->last)
    return buffer->first->bytes;
  cai_block *whole = malloc(sizeof *whole + buffer->length);
  if (whole == NULL)
    return NULL;
  *whole = (cai_block){.capacity = buffer->length};
  for (cai_block *block = buffer->first, *next; block != NULL; block = next) {
    next = block->next;
    memcpy(whole->bytes + whole->length, block->bytes, block->length);
    whole->length += block->length;
    free_block(block);
  }
  buffer->first = buffer->last = whole;
  return whole->bytes;
}

void cai_buffer_clear(cai_buffer *buffer) {
  for (cai_block *block = buffer->first, *next; block != NULL; block = next) {
    next = block->next;
    free_block(block);
  }
  cai_buffer_init(buffer, buffer->limit);
}
