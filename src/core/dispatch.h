/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_DISPATCH_H
#define CAI_DISPATCH_H

#include "engine.h"
#include "timer.h"

#include <stdint.h>

/* The engine's calls in flight: which of them run, by which lane, and how they end. For the engine alone, which has
 * checked that it is open and holds SIGPIPE back. */

struct cai_engine {
  unsigned references;
  bool open;
  cai_poller poller;
  cai_lane *lanes;     /* all of them */
  cai_lane *exclusive; /* one of them: for what has a connection of its own; NULL: none yet */
  unsigned tags;       /* given to lanes */
  cai_sockets sockets;
  cai_origin *origins;
  cai_call *first, *last; /* in flight, oldest first; each with a reference of ours */
  cai_timers timers;
  int in_flight;          /* calls and timers */
  unsigned long finished; /* likewise, ever */
  double stepped;         /* when it was last stepped */
  bool cut_short;         /* the last step left something to do */
  unsigned turn;          /* of the sockets, who is served first */
  uint64_t random;
  unsigned forks; /* cai_fork_count when opened */
};

/* Adds a new call, with a reference of the engine's own. */
void cai_dispatch_add(cai_engine *engine, cai_call *call);

/* Begins an attempt, or leaves the call waiting for a place. */
void cai_dispatch_attempt(cai_engine *engine, cai_call *call);

/* Returns true if a call that waits for a place would get one. */
bool cai_dispatch_has_room(const cai_call *call);

/* Begins the attempts whose wait is over. */
void cai_dispatch_begin_due(cai_engine *engine);

/* Takes in the transfers that ended. Returns true if a call is finished. */
bool cai_dispatch_reap(cai_engine *engine);

/* Ends what libcurl has not ended in time or may have lost, and the calls whose deadline has come. */
void cai_dispatch_end_overdue(cai_engine *engine);

/* Ends a call that is in flight as CANCELLED, for `reason`; it may be freed here. */
void cai_dispatch_abandon(cai_engine *engine, cai_call *call, const char *reason);

/* Takes a lane out of use for new transfers. */
void cai_dispatch_retire(cai_engine *engine, cai_lane *lane);

/* Closes the connections of retired lanes that carry nothing any more. */
void cai_dispatch_sweep(cai_engine *engine);

#endif
