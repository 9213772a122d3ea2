/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "scene.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* A process that forks with calls in flight: each side goes on by itself. Children leave by _exit, as they share what
 * they abandoned with nobody who could free it. */

static const loopback_step late_then_ok[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK, .pause = 400},
                                             {.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};

static bool ended_in_child(const cai_call *call, cai_outcome outcome) {
  return call->state == CAI_CALL_FINISHED && call->kind == CAI_KIND_CANCELLED && call->outcome == outcome &&
         call->message[0] != '\0';
}

/* In the child: what it inherited is cancelled, and its own calls work on the same engine. */
static int child_steps(scene *s, cai_call *inherited, cai_outcome outcome) {
  if (cai_engine_step(s->engine, 0) != 0 || !ended_in_child(inherited, outcome))
    return 1;
  for (int i = 0; i < 3; i++) {
    cai_call *own = scene_start(s, i == 1 ? CAI_POST : CAI_GET);
    if (!scene_finish(s, own, 5) || own->kind != CAI_KIND_NONE || own->status != 200)
      return 2;
    cai_call_release(own);
  }
  cai_call_release(inherited);
  cai_client_release(s->client);
  cai_engine_release(s->engine);
  return 0;
}

static int child_cancels(scene *s, cai_call *inherited, cai_outcome outcome) {
  cai_engine_cancel(s->engine, inherited);
  cai_engine_cancel_all(s->engine, s->client);
  return ended_in_child(inherited, outcome) ? 0 : 1;
}

static int child_closes(scene *s, cai_call *inherited, cai_outcome outcome) {
  cai_engine_close(s->engine);
  if (!ended_in_child(inherited, outcome) || cai_engine_in_flight(s->engine) != 0)
    return 1;
  cai_engine_release(s->engine);
  cai_call_release(inherited);
  return 0;
}

static int child_starts(scene *s, cai_call *inherited, cai_outcome outcome) {
  cai_call *own = scene_start(s, CAI_GET);
  if (!ended_in_child(inherited, outcome))
    return 1;
  return scene_finish(s, own, 5) && own->status == 200 ? 0 : 2;
}

static int child_forks_again(scene *s, cai_call *inherited, cai_outcome outcome) {
  pid_t grandchild = fork();
  if (grandchild == 0)
    _exit(child_steps(s, inherited, outcome));
  int status = -1;
  waitpid(grandchild, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? child_steps(s, inherited, outcome) : 3;
}

typedef int child_part(scene *s, cai_call *inherited, cai_outcome outcome);

/* The parent's call is on the wire when it forks, and another has left a connection in the pool. */
static void the_parents_call_is_undisturbed(cai_method method, child_part *part, const char *name) {
  scene s;
  scene_open(&s, SCENE_STEPS(late_then_ok), NULL);
  cai_call *call = scene_start(&s, method);
  CHECK(scene_reach(&s, 1));
  scene_sleep(20); /* the server's threads are at rest: none holds a lock that the child would inherit */
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(part(&s, call, method == CAI_GET ? CAI_OUTCOME_NONE : CAI_OUTCOME_UNKNOWN));
  }
  CHECK(scene_finish(&s, call, 5));
  CHECK_CASE(call->kind == CAI_KIND_NONE && call->status == 200 && call->attempts == 1, "%s: %s", name, call->message);
  CHECK(call->transfer.body.length == 16);
  int status = -1;
  waitpid(child, &status, 0);
  CHECK_CASE(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %x", name, (unsigned)status);
  int connections = loopback_connections(s.server);
  cai_call_release(call);
  call = scene_run(&s, CAI_GET); /* the connection of a read is still there */
  CHECK(call->kind == CAI_KIND_NONE && call->status == 200);
  CHECK_CASE(loopback_connections(s.server) == connections + (method == CAI_POST), "%s", name);
  cai_call_release(call);
  scene_close(&s);
}

/* nginx: the parent idles with a connection in the pool, the workers use the engine. */
static void an_idle_engine_is_shared_by_none(void) {
  static const loopback_step ok[] = {{.action = LOOPBACK_ANSWER, .bytes = SCENE_OK}};
  scene s;
  scene_open(&s, SCENE_STEPS(ok), NULL);
  cai_call_release(scene_run(&s, CAI_GET));
  scene_sleep(20);
  fflush(NULL);
  for (int i = 0; i < 3; i++) {
    pid_t child = fork();
    if (child == 0) {
      alarm(20);
      cai_call *own = scene_start(&s, CAI_GET);
      _exit(scene_finish(&s, own, 5) && own->status == 200 ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  CHECK(loopback_connections(s.server) == 4); /* each child its own */
  cai_call_release(scene_run(&s, CAI_GET));
  CHECK(loopback_connections(s.server) == 4); /* the parent's is still its own */
  scene_close(&s);
}

int main(void) {
  the_parents_call_is_undisturbed(CAI_GET, child_steps, "steps");
  the_parents_call_is_undisturbed(CAI_POST, child_steps, "steps, create");
  the_parents_call_is_undisturbed(CAI_GET, child_cancels, "cancels");
  the_parents_call_is_undisturbed(CAI_POST, child_closes, "closes");
  the_parents_call_is_undisturbed(CAI_GET, child_starts, "starts");
  the_parents_call_is_undisturbed(CAI_GET, child_forks_again, "forks again");
  an_idle_engine_is_shared_by_none();
  return check_end();
}
