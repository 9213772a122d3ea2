/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_ENGINE_H
#define CAI_ENGINE_H

#include "call.h"
#include "timer.h"

/* Runs calls on connections that all clients of one Lua state share. It never waits unless it is told to, and there are
 * no callbacks: a waiter calls cai_engine_step until its call has finished. Each call ends: after its attempts with
 * their timeouts, and after its client's deadline at the latest. An engine belongs to one thread, and its users hold
 * references. */
typedef struct cai_engine cai_engine;

/* An engine with one reference. NULL: out of memory or out of descriptors. */
cai_engine *cai_engine_new(void);

cai_engine *cai_engine_retain(cai_engine *engine);
void cai_engine_release(cai_engine *engine); /* accepts NULL; the last one closes and frees */

/* Ends all calls as cancelled, stops all timers and closes all connections. Idempotent; calls started later end as
 * cancelled. */
void cai_engine_close(cai_engine *engine);

/* Does what can be done now. `timeout` in milliseconds: 0 never waits, and after a few milliseconds of work leaves the
 * rest to the next step, which is then due at once; -1 waits until a socket or a timer is due or a signal comes. It
 * returns at once when nothing is in flight. The number of calls and timers in flight. */
int cai_engine_step(cai_engine *engine, int timeout);

/* The number of calls and timers in flight; of those that have ended, ever; seconds since the last step, infinite when
 * a step is due at once. */
int cai_engine_in_flight(const cai_engine *engine);
unsigned long cai_engine_finished(const cai_engine *engine);
double cai_engine_age(const cai_engine *engine);

/* One descriptor, for a host with a loop of its own: readable when a step has something to do, timers included. It is
 * the engine's, and another after a fork. -1: the system gave none, or the engine is closed. */
int cai_engine_descriptor(cai_engine *engine);

/* For a host without: seconds until a step is due even if no socket is ready; infinite: never. */
double cai_engine_timeout(cai_engine *engine);

/* Starts a new call, of which the engine keeps a reference until it is finished. */
void cai_engine_start(cai_engine *engine, cai_call *call);

/* Ends a call as cancelled; one that is not started, or finished, stays as it is. */
void cai_engine_cancel(cai_engine *engine, cai_call *call);

/* Likewise all calls of a client. */
void cai_engine_cancel_all(cai_engine *engine, const cai_client *client);

/* Starts a timer, which must not run, for so many seconds from now; whoever waits for it steps, as for a call. It is
 * the caller's, to be stopped before its memory goes. A closed engine leaves it stopped, and so does a fork in the
 * child. */
void cai_engine_start_timer(cai_engine *engine, cai_timer *timer, double seconds);

/* Stops a timer before its moment; one that does not run stays as it is. */
void cai_engine_stop_timer(cai_engine *engine, cai_timer *timer);

#endif
