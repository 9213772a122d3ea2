/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_FORK_H
#define CAI_FORK_H

/* A process forked from one that uses the engine (nginx after init_by_lua, a script with posix.fork) shares its
 * parent's sockets. An engine compares the number that it was made under, and abandons what it inherited. */

/* Begins counting. Idempotent; call it before the first engine is made. */
void cai_fork_watch(void);

/* How often this process's ancestry has forked since. */
unsigned cai_fork_count(void);

#endif
