/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPEC_SCENE_H
#define SPEC_SCENE_H

#include "../../src/core/engine.h"
#include "loopback.h"

#include <stddef.h>

/* What the tests on real sockets have in common: a server, a client of it and an engine. */

#define SCENE_KEY "confident_us_org_0123456789abcdef0123456789abcdef"
#define SCENE_STEPS(script) (script), sizeof(script) / sizeof((script)[0])

/* Complete answers. */
#define SCENE_OK "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"success\":true}"
#define SCENE_STATUS(status, headers)                                                                                  \
  "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n" headers "Content-Length: 17\r\n\r\n{\"success\":false}"

typedef struct {
  loopback *server; /* NULL: none */
  cai_client *client;
  cai_engine *engine;
  char base[64];
} scene;

/* Options of a client with three retries and generous limits; `base` must outlive them. */
cai_client_options scene_options(const char *base);

/* Starts all three. With `change`, it may alter the client's options first. */
void scene_open(scene *s, const loopback_step *script, size_t steps, void (*change)(cai_client_options *));
void scene_close(scene *s);

/* A started call to "/v1/keys", with the body of a create or an update where the method has one. The caller's
 * reference. */
cai_call *scene_start(scene *s, cai_method method);
cai_call *scene_start_with(scene *s, const cai_call_options *options);

/* Steps until the call is finished, `seconds` at most. Whether it is. */
bool scene_finish(scene *s, cai_call *call, double seconds);

/* Start and finish (within 10 seconds; aborts if not). */
cai_call *scene_run(scene *s, cai_method method);

/* Steps until the server has read `count` requests, or for 5 seconds. Whether it has. */
bool scene_reach(scene *s, int count);

/* Seconds on a clock that only goes forward. */
double scene_now(void);
void scene_sleep(int milliseconds);

/* A port on 127.0.0.1 at which nobody listens. */
int scene_dead_port(void);

/* Open descriptors of this process. */
int scene_descriptors(void);

#endif
