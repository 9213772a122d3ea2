/* SPDX-License-Identifier: Apache-2.0 */
#include "scene.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

cai_client_options scene_options(const char *base) {
  return (cai_client_options){.base_url = base,
                              .credential = SCENE_KEY,
                              .credential_length = strlen(SCENE_KEY),
                              .timeout = 10000,
                              .connect_timeout = 5000,
                              .max_retries = 3,
                              .max_response_bytes = (size_t)1 << 20};
}

static void give_up(const char *why) {
  fprintf(stderr, "%s\n", why);
  abort();
}

void scene_open(scene *s, const loopback_step *script, size_t steps, void (*change)(cai_client_options *)) {
  char message[CAI_MESSAGE_SIZE];
  s->server = loopback_start(script, steps);
  snprintf(s->base, sizeof s->base, "http://127.0.0.1:%d", loopback_port(s->server));
  cai_client_options options = scene_options(s->base);
  if (change != NULL)
    change(&options);
  s->client = cai_client_new(&options, message);
  if (s->client == NULL)
    give_up(message);
  s->engine = cai_engine_new();
  if (s->engine == NULL)
    give_up("no engine");
}

void scene_close(scene *s) {
  cai_engine_release(s->engine);
  cai_client_release(s->client);
  if (s->server != NULL)
    loopback_stop(s->server);
  *s = (scene){.server = NULL};
}

cai_call *scene_start(scene *s, cai_method method) {
  static const cai_segment segments[] = {{"v1", 2}, {"keys", 4}};
  const char *body = method == CAI_POST ? "{\"name\":\"ci\"}" : method == CAI_PUT ? "{\"valid\":false}" : NULL;
  cai_call_options options = {.method = method, .segments = segments, .segment_count = 2, .body = body};
  options.body_length = body == NULL ? 0 : strlen(body);
  return scene_start_with(s, &options);
}

cai_call *scene_start_with(scene *s, const cai_call_options *options) {
  cai_call *call = cai_call_new(s->client, options);
  if (call == NULL)
    give_up("no call");
  cai_engine_start(s->engine, call);
  return call;
}

bool scene_finish(scene *s, cai_call *call, double seconds) {
  double end = scene_now() + seconds;
  while (call->state != CAI_CALL_FINISHED && scene_now() < end)
    cai_engine_step(s->engine, 50);
  return call->state == CAI_CALL_FINISHED;
}

cai_call *scene_run(scene *s, cai_method method) {
  cai_call *call = scene_start(s, method);
  if (!scene_finish(s, call, 10))
    give_up("a call did not end");
  return call;
}

bool scene_reach(scene *s, int count) {
  double end = scene_now() + 5;
  while (loopback_requests(s->server) < count && scene_now() < end)
    cai_engine_step(s->engine, 5);
  return loopback_requests(s->server) >= count;
}

double scene_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void scene_sleep(int milliseconds) {
  struct timespec t = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  nanosleep(&t, NULL);
}

int scene_dead_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, size) != 0 ||
      getsockname(descriptor, (struct sockaddr *)&address, &size) != 0)
    give_up("no port");
  close(descriptor);
  return ntohs(address.sin_port);
}

int scene_descriptors(void) {
  int count = 0;
  for (int descriptor = 0; descriptor < 4096; descriptor++)
    count += fcntl(descriptor, F_GETFD) >= 0;
  return count;
}
