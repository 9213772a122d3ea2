/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPEC_ALLOCATOR_H
#define SPEC_ALLOCATOR_H

#include <stdbool.h>

/* Stands before the C library's allocator in programs linked with allocator_wrap (CMakeLists.txt): memory runs out on
 * demand, and what is freed can be searched for secrets. For one thread. libcurl allocates through it as well once
 * allocator_take_curl has run. */

/* The n-th allocation from here on (1: the next) and every later one fail; 0: none. */
void allocator_fail_from(long n);

/* Whether one has failed since. */
bool allocator_failed(void);

/* Allocations minus frees since the start. */
long allocator_alive(void);

/* Counts freed blocks that hold `needle` from here on; NULL: stop. Begins again at 0. */
void allocator_watch(const char *needle);
int allocator_seen(void);

/* Runs libcurl's global set-up with this allocator. Before any other use of libcurl. */
bool allocator_take_curl(void);

#endif
