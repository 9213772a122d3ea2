/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_LANE_H
#define CAI_LANE_H

#include "poller.h"

#include <curl/curl.h>

/* A libcurl multi handle with its connections, its sockets in a poller and its timer. Reads of one origin share one;
 * what must travel alone has another: among the connections to one host, libcurl would make reads wait for it, or take
 * from it that the host speaks no HTTP/2. */
typedef struct cai_lane {
  struct cai_lane *next;
  CURLM *multi;
  cai_poller *poller;
  unsigned tag;   /* of its sockets in the poller */
  double due;     /* when libcurl wants its timeouts looked at (cai_clock_now) */
  int transfers;  /* under way */
  bool retired;   /* takes no transfer any more, as a connection of it may be dead: it goes with its last one */
  CURLMcode code; /* an error of libcurl's own, after which it may have forgotten any of its transfers */
} cai_lane;

/* NULL: out of memory. The tag is no other lane's. */
cai_lane *cai_lane_new(cai_poller *poller, unsigned tag);

/* Closes its connections, on which no transfer may be under way, and frees it. */
void cai_lane_free(cai_lane *lane);

/* Adds a transfer, which begins at the next look at the timeouts. False: out of memory. */
bool cai_lane_add(cai_lane *lane, CURL *easy);
void cai_lane_remove(cai_lane *lane, CURL *easy);

/* Lets libcurl look at its timeouts when they are due. Returns true if they were. */
bool cai_lane_serve_timer(cai_lane *lane);

/* Hands an event of one of its sockets to libcurl. */
void cai_lane_serve_socket(cai_lane *lane, const cai_poller_event *event);

/* Takes a transfer out that ended. False: none did. */
bool cai_lane_take(cai_lane *lane, CURL **easy, CURLcode *code);

#endif
