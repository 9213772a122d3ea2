/* SPDX-License-Identifier: Apache-2.0 */
#include "lane.h"

#include "clock.h"

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

void cai_lane_open(cai_lane *lane, cai_poller *poller, unsigned tag) {
  *lane = (cai_lane){.poller = poller, .tag = tag, .due = CAI_NEVER};
}

/* Makes the multi handle. False: out of memory. */
static bool make_multi(cai_lane *lane) {
  lane->multi = curl_multi_init();
  if (lane->multi == NULL)
    return false;
  curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane);
  curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane);
  curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, MOST_IDLE);
#if LIBCURL_VERSION_NUM >= 0x074300
  curl_multi_setopt(lane->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, MOST_STREAMS);
#endif
  return true;
}

void cai_lane_close(cai_lane *lane) {
  if (lane->multi != NULL)
    curl_multi_cleanup(lane->multi);
  lane->multi = NULL;
}

bool cai_lane_add(cai_lane *lane, CURL *easy) {
  return (lane->multi != NULL || make_multi(lane)) && curl_multi_add_handle(lane->multi, easy) == CURLM_OK;
}

void cai_lane_remove(cai_lane *lane, CURL *easy) {
  curl_multi_remove_handle(lane->multi, easy);
}

bool cai_lane_serve_timer(cai_lane *lane) {
  int running;
  if (lane->due > cai_clock_now())
    return false;
  lane->due = CAI_NEVER;
  curl_multi_socket_action(lane->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  return true;
}

void cai_lane_serve_socket(cai_lane *lane, const cai_poller_event *event) {
  int running;
  int action = (event->readable ? CURL_CSELECT_IN : 0) | (event->writable ? CURL_CSELECT_OUT : 0) |
               (event->failed ? CURL_CSELECT_ERR : 0);
  curl_multi_socket_action(lane->multi, event->descriptor, action, &running);
}

bool cai_lane_take(cai_lane *lane, CURL **easy, CURLcode *code) {
  int left;
  if (lane->multi == NULL)
    return false;
  for (CURLMsg *message; (message = curl_multi_info_read(lane->multi, &left)) != NULL;) {
    if (message->msg != CURLMSG_DONE)
      continue;
    *easy = message->easy_handle;
    *code = message->data.result; /* gone with the handle */
    curl_multi_remove_handle(lane->multi, *easy);
    return true;
  }
  return false;
}
