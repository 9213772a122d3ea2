/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "scene.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Signals: SIGPIPE never reaches the host, its handler and mask are its own; any other ends a wait. */

static volatile sig_atomic_t pipes, alarms;

static void on_signal(int number) {
  if (number == SIGPIPE)
    pipes++;
  else
    alarms++;
}

static bool pipe_is_pending_or_blocked(void) {
  sigset_t set;
  sigpending(&set);
  bool pending = sigismember(&set, SIGPIPE) == 1;
  pthread_sigmask(SIG_BLOCK, NULL, &set);
  return pending || sigismember(&set, SIGPIPE) == 1;
}

/* libcurl's own writes carry MSG_NOSIGNAL, OpenSSL's do not: this raises what such a write would, within libcurl. */
static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
  (void)a, (void)b, (void)c, (void)d;
  ++*(int *)user;
  raise(SIGPIPE);
  return 0;
}

static void it_neither_arrives_nor_stays(void) {
  static const loopback_step script[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK, .pause = 50}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  int raised = 0;
  cai_call *call = scene_start(&s, CAI_GET);
  curl_easy_setopt(call->transfer.easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(call->transfer.easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(call->transfer.easy, CURLOPT_XFERINFODATA, &raised);
  CHECK(scene_finish(&s, call, 5) && call->status == 200);
  CHECK(raised > 0 && pipes == 0 && !pipe_is_pending_or_blocked());
  cai_call_release(call);
  scene_close(&s);
  CHECK(pipes == 0 && !pipe_is_pending_or_blocked());
}

static void broken_connections_raise_nothing(void) {
  static const loopback_step script[] = {
      {.action = LOOPBACK_RESET_UNREAD}, {.action = LOOPBACK_RESET},
      {.action = LOOPBACK_SILENT},       {.action = LOOPBACK_ANSWER, .bytes = SCENE_OK},
      {.action = LOOPBACK_RESET},        {.action = LOOPBACK_HANG}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  s.client->max_retries = 0;
  for (int i = 0; i < 5; i++)
    cai_call_release(scene_run(&s, i % 2 == 0 ? CAI_PUT : CAI_POST));
  cai_call *call = scene_start(&s, CAI_GET);
  cai_engine_step(s.engine, 50);
  cai_engine_cancel(s.engine, call);
  cai_call_release(call);
  CHECK(pipes == 0 && !pipe_is_pending_or_blocked());
  scene_close(&s);
  CHECK(pipes == 0 && !pipe_is_pending_or_blocked());
}

/* Ctrl-C must get through: step(-1) returns when a signal comes. */
static void a_signal_ends_a_wait_without_end(void) {
  static const loopback_step script[] = {{.action = LOOPBACK_HANG}};
  scene s;
  scene_open(&s, SCENE_STEPS(script), NULL);
  cai_call *call = scene_start(&s, CAI_GET);
  CHECK(scene_reach(&s, 1));
  struct itimerval soon = {.it_value.tv_usec = 100000, .it_interval.tv_usec = 100000}, never = {.it_value.tv_sec = 0};
  sigset_t alarm_set, before;
  sigemptyset(&alarm_set);
  sigaddset(&alarm_set, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &alarm_set, &before);
  setitimer(ITIMER_REAL, &soon, NULL);
  double start = scene_now();
  while (alarms == 0 && scene_now() - start < 3)
    CHECK(cai_engine_step(s.engine, -1) == 1);
  CHECK(alarms > 0 && scene_now() - start < 1);
  setitimer(ITIMER_REAL, &never, NULL);
  cai_engine_cancel(s.engine, call);
  cai_call_release(call);
  scene_close(&s);
}

int main(void) {
  struct sigaction action = {.sa_handler = on_signal}, alarm_action = {.sa_handler = on_signal};
  sigaction(SIGPIPE, &action, NULL);
  sigaction(SIGALRM, &alarm_action, NULL);
  it_neither_arrives_nor_stays();
  broken_connections_raise_nothing();
  a_signal_ends_a_wait_without_end();
  return check_end();
}
