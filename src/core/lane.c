/* SPDX-License-Identifier: Apache-2.0 */
#include "lane.h"

#include "clock.h"

#include <stdlib.h>

/* Idle connections that are kept for the next calls. libcurl's own measure, four times the calls at hand, would close
 * what the next burst needs. */
#define MOST_IDLE 64L

/* Calls that may share one HTTP/2 connection: no fewer than an origin is given (origin.c). */
#define MOST_STREAMS 100L

static int on_socket(CURL *easy, curl_socket_t descriptor, int what, void *user, void *known) {
  cai_lane *lane = user;
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    cai_poller_watch(lane->poller, descriptor, lane->tag, true, false, false);
    return 0;
  }
  cai_poller_watch(lane->poller, descriptor, lane->tag, known != NULL, (what & CURL_POLL_IN) != 0,
                   (what & CURL_POLL_OUT) != 0);
  if (known == NULL)
    curl_multi_assign(lane->multi, descriptor, lane); /* comes back as `known` */
  return 0;
}

static int on_timer(CURLM *multi, long milliseconds, void *user) {
  cai_lane *lane = user;
  (void)multi;
  lane->due = milliseconds < 0 ? CAI_NEVER : cai_clock_now() + (double)milliseconds / 1e3;
  return 0;
}

cai_lane *cai_lane_new(cai_poller *poller, unsigned tag) {
  cai_lane *lane = calloc(1, sizeof *lane);
  CURLM *multi = lane != NULL ? curl_multi_init() : NULL;
  if (multi == NULL) {
    free(lane);
    return NULL;
  }
  *lane = (cai_lane){.multi = multi, .poller = poller, .tag = tag, .due = CAI_NEVER};
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, lane);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, lane);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, MOST_IDLE);
#if LIBCURL_VERSION_NUM >= 0x074300
  curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, MOST_STREAMS);
#endif
  return lane;
}

void cai_lane_free(cai_lane *lane) {
  if (lane->multi != NULL)
    curl_multi_cleanup(lane->multi);
  free(lane);
}

bool cai_lane_add(cai_lane *lane, CURL *easy) {
  if (curl_multi_add_handle(lane->multi, easy) != CURLM_OK)
    return false;
  lane->transfers++;
  return true;
}

void cai_lane_remove(cai_lane *lane, CURL *easy) {
  curl_multi_remove_handle(lane->multi, easy);
  lane->transfers--;
}

/* Hands an event to libcurl. Its first error is kept: which transfer it was about is not said. */
static void act(cai_lane *lane, curl_socket_t descriptor, int action) {
  int running;
  CURLMcode code = curl_multi_socket_action(lane->multi, descriptor, action, &running);
  if (lane->code == CURLM_OK)
    lane->code = code;
}

bool cai_lane_serve_timer(cai_lane *lane) {
  if (lane->due > cai_clock_now())
    return false;
  lane->due = CAI_NEVER;
  act(lane, CURL_SOCKET_TIMEOUT, 0);
  return true;
}

void cai_lane_serve_socket(cai_lane *lane, const cai_poller_event *event) {
  act(lane, event->descriptor,
      (event->readable ? CURL_CSELECT_IN : 0) | (event->writable ? CURL_CSELECT_OUT : 0) |
          (event->failed ? CURL_CSELECT_ERR : 0));
}

bool cai_lane_take(cai_lane *lane, CURL **easy, CURLcode *code) {
  int left;
  for (CURLMsg *message; (message = curl_multi_info_read(lane->multi, &left)) != NULL;) {
    if (message->msg != CURLMSG_DONE)
      continue;
    *easy = message->easy_handle;
    *code = message->data.result; /* gone with the handle */
    cai_lane_remove(lane, *easy);
    return true;
  }
  return false;
}
