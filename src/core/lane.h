/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_LANE_H
#define CAI_LANE_H

#include "poller.h"

#include <curl/curl.h>

/* A libcurl multi handle with its connections, its sockets in a poller and its timer. An engine has two: among the
 * connections to one host, libcurl would make reads wait for what must travel alone, or take from it that the host
 * speaks no HTTP/2. */
typedef struct {
  CURLM *multi; /* NULL: no transfer came yet, or closed */
  cai_poller *poller;
  unsigned tag; /* of its sockets in the poller */
  double due;   /* when libcurl wants its timeouts looked at (cai_clock_now) */
} cai_lane;

/* The lane must stay where it is while it is open. What it needs of libcurl it makes for its first transfer: a script
 * that only reads needs one lane. */
void cai_lane_open(cai_lane *lane, cai_poller *poller, unsigned tag);

/* Closes its connections, on which no transfer may be under way. Idempotent. */
void cai_lane_close(cai_lane *lane);

/* Adds a transfer, which begins at the next look at the timeouts. False: out of memory. */
bool cai_lane_add(cai_lane *lane, CURL *easy);
void cai_lane_remove(cai_lane *lane, CURL *easy);

/* Lets libcurl look at its timeouts when they are due. Whether they were. */
bool cai_lane_serve_timer(cai_lane *lane);

/* Hands an event of one of its sockets to libcurl. */
void cai_lane_serve_socket(cai_lane *lane, const cai_poller_event *event);

/* Takes a transfer out that ended. False: none did. */
bool cai_lane_take(cai_lane *lane, CURL **easy, CURLcode *code);

#endif
