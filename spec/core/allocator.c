/* SPDX-License-Identifier: Apache-2.0 */
#include "allocator.h"

#include <curl/curl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

static long countdown, alive;
static bool failed;
static const char *watched;
static int seen;

/* Whether this allocation is to fail. */
static bool runs_out(void) {
  if (countdown == 0)
    return false;
  if (countdown > 1) {
    countdown--;
    return false;
  }
  failed = true;
  return true;
}

/* Fresh memory is filled, so that what is searched later is defined, for valgrind and the eye. */
static void *fill(void *block, size_t from) {
  if (block != NULL)
    memset((char *)block + from, 0xA5, malloc_usable_size(block) - from);
  return block;
}

static void *count(void *block) {
  alive += block != NULL;
  return block;
}

void *__wrap_malloc(size_t size) {
  return runs_out() ? NULL : count(fill(__real_malloc(size), 0));
}

void *__wrap_calloc(size_t items, size_t size) {
  void *block = runs_out() ? NULL : __real_calloc(items, size);
  return count(fill(block, items * size));
}

/* As a plain malloc, copy and free, so that what realloc leaves behind is searched too. */
void *__wrap_realloc(void *block, size_t size) {
  if (block == NULL)
    return __wrap_malloc(size);
  void *longer = __wrap_malloc(size);
  if (longer == NULL)
    return NULL;
  size_t before = malloc_usable_size(block);
  memcpy(longer, block, before < size ? before : size);
  __wrap_free(block);
  return longer;
}

void __wrap_free(void *block) {
  if (block == NULL)
    return;
  alive--;
  if (watched != NULL && memmem(block, malloc_usable_size(block), watched, strlen(watched)) != NULL)
    seen++;
  __real_free(block);
}

static char *duplicate(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = __wrap_malloc(size);
  return copy == NULL ? NULL : memcpy(copy, text, size);
}

void allocator_fail_from(long n) {
  countdown = n;
  failed = false;
}

bool allocator_failed(void) {
  return failed;
}

long allocator_alive(void) {
  return alive;
}

void allocator_watch(const char *needle) {
  watched = needle;
  seen = 0;
}

int allocator_seen(void) {
  return seen;
}

bool allocator_take_curl(void) {
  return curl_global_init_mem(CURL_GLOBAL_DEFAULT, __wrap_malloc, __wrap_free, __wrap_realloc, duplicate,
                              __wrap_calloc) == CURLE_OK;
}
