/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for a process that lives briefly: taken in large pieces, which the kernel fills at once, and never freed. */
#include "boundary.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define PIECE ((size_t)1 << 20)
#define ALIGNMENT ((size_t)16)

/* What is left of the last piece. */
static char *rest, *end;

static size_t align(size_t size) {
  return (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

/* What is left of the last piece is lost. */
static bool take_piece(size_t size) {
  size_t length = size > PIECE ? size : PIECE;
  void *piece = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (piece == MAP_FAILED)
    return false;
  rest = piece;
  end = rest + length;
  return true;
}

static void *take(size_t size) {
  if (size > (size_t)(end - rest) && !take_piece(size))
    return NULL;
  void *memory = rest;
  rest += size;
  return memory;
}

void *boundary_allocate(void *unused, void *old, size_t old_size, size_t size) {
  (void)unused;
  if (size == 0)
    return NULL;
  if (size > SIZE_MAX - ALIGNMENT)
    return NULL;
  if (old == NULL)
    return take(align(size));
  if (size <= old_size)
    return old;
  if ((char *)old + align(old_size) == rest && align(size) - align(old_size) <= (size_t)(end - rest)) {
    rest += align(size) - align(old_size);
    return old;
  }
  void *memory = take(align(size));
  return memory != NULL ? memcpy(memory, old, old_size) : NULL;
}
