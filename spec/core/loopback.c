/* SPDX-License-Identifier: Apache-2.0 */
#include "loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_CONNECTIONS 1024
#define MOST_REQUESTS 1024

typedef struct {
  loopback *server;
  pthread_t thread;
  int descriptor; /* -1: closed */
} connection;

struct loopback {
  const loopback_step *script;
  size_t steps, next;
  int listener, port;
  bool stopping;
  pthread_t acceptor;
  pthread_mutex_t lock; /* of everything below, and of `next`, `stopping` and the descriptors */
  connection connections[MOST_CONNECTIONS];
  int connection_count, request_count;
  size_t received;
  char *requests[MOST_REQUESTS];
};

static void insist(bool good, const char *what) {
  if (good)
    return;
  perror(what);
  abort();
}

static void pause_for(int milliseconds) {
  struct timespec t = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  nanosleep(&t, NULL);
}

/* The step of what comes next; it is used up unless only looked at. */
static const loopback_step *next_step(loopback *server, bool look) {
  pthread_mutex_lock(&server->lock);
  size_t at = server->next < server->steps ? server->next : server->steps - 1;
  if (!look)
    server->next++;
  pthread_mutex_unlock(&server->lock);
  return &server->script[at];
}

static bool send_all(int descriptor, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(descriptor, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes += sent;
    length -= (size_t)sent;
  }
  return true;
}

/* Bytes of the whole request when `text` holds its head, or 0. */
static size_t whole_length(const char *text) {
  const char *end = strstr(text, "\r\n\r\n");
  if (end == NULL)
    return 0;
  size_t body = 0;
  for (const char *line = text; line < end; line = strstr(line, "\r\n") + 2) {
    if (strncasecmp(line, "Content-Length:", 15) == 0)
      body = strtoul(line + 15, NULL, 10);
  }
  return (size_t)(end - text) + 4 + body;
}

/* One request, whole, or NULL when the client went before that. The client never pipelines. */
static char *read_request(connection *this) {
  size_t length = 0, capacity = 4096, whole = 0;
  char *text = malloc(capacity + 1);
  insist(text != NULL, "malloc");
  while (whole == 0 || length < whole) {
    if (length == capacity) {
      text = realloc(text, (capacity *= 2) + 1);
      insist(text != NULL, "realloc");
    }
    ssize_t got = recv(this->descriptor, text + length, capacity - length, 0);
    if (got <= 0) {
      free(text);
      return NULL;
    }
    length += (size_t)got;
    text[length] = '\0';
    if (whole == 0)
      whole = whole_length(text);
    pthread_mutex_lock(&this->server->lock);
    this->server->received += (size_t)got;
    pthread_mutex_unlock(&this->server->lock);
  }
  return text;
}

static void keep_request(loopback *server, char *text) {
  pthread_mutex_lock(&server->lock);
  insist(server->request_count < MOST_REQUESTS, "too many requests");
  server->requests[server->request_count++] = text;
  pthread_mutex_unlock(&server->lock);
}

static void set_reset(int descriptor) {
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static void wait_for_client(int descriptor) {
  char nothing[256];
  while (recv(descriptor, nothing, sizeof nothing, 0) > 0)
    continue;
}

static void stop_listening(loopback *server) {
  pthread_mutex_lock(&server->lock);
  if (!server->stopping) {
    server->stopping = true;
    shutdown(server->listener, SHUT_RDWR); /* wakes the acceptor, and later connects are refused */
  }
  pthread_mutex_unlock(&server->lock);
}

static bool drip(int descriptor, const loopback_step *step) {
  for (const char *at = step->bytes; *at != '\0'; at++) {
    if (!send_all(descriptor, at, 1))
      return false;
    pause_for(step->pause);
  }
  return true;
}

/* Does one step after the request was read. Whether the connection stays. */
static bool perform(connection *this, const loopback_step *step) {
  int descriptor = this->descriptor;
  size_t length = step->bytes == NULL ? 0 : strlen(step->bytes);
  if (step->pause > 0 && step->action != LOOPBACK_DRIP)
    pause_for(step->pause);
  switch (step->action) {
  case LOOPBACK_ANSWER:
    return send_all(descriptor, step->bytes, length);
  case LOOPBACK_ANSWER_CLOSE:
    send_all(descriptor, step->bytes, length);
    return false;
  case LOOPBACK_DRIP:
    return drip(descriptor, step);
  case LOOPBACK_ENDLESS:
    if (send_all(descriptor, step->bytes, length)) {
      while (send_all(descriptor, step->filler, strlen(step->filler)))
        continue;
    }
    return false;
  case LOOPBACK_HANG:
    wait_for_client(descriptor);
    return false;
  case LOOPBACK_RESET:
    set_reset(descriptor);
    return false;
  case LOOPBACK_SLAM:
    stop_listening(this->server);
    return false;
  default:
    return false;
  }
}

/* What a script can do to a connection before it has read anything. Whether it did. */
static bool refuse(connection *this) {
  loopback_action action = next_step(this->server, true)->action;
  if (action < LOOPBACK_CLOSE_UNREAD)
    return false;
  next_step(this->server, false);
  if (action == LOOPBACK_RESET_UNREAD)
    set_reset(this->descriptor);
  if (action == LOOPBACK_HANG_UNREAD)
    wait_for_client(this->descriptor);
  return true;
}

static void *serve(void *user) {
  connection *this = user;
  if (!refuse(this)) {
    for (char *text; (text = read_request(this)) != NULL;) {
      const loopback_step *step = next_step(this->server, false);
      keep_request(this->server, text);
      if (!perform(this, step))
        break;
    }
  }
  pthread_mutex_lock(&this->server->lock);
  close(this->descriptor);
  this->descriptor = -1;
  pthread_mutex_unlock(&this->server->lock);
  return NULL;
}

static void *accept_all(void *user) {
  loopback *server = user;
  for (;;) {
    int descriptor = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (descriptor < 0)
      return NULL;
    pthread_mutex_lock(&server->lock);
    bool stopping = server->stopping;
    if (stopping) {
      close(descriptor);
    } else {
      insist(server->connection_count < MOST_CONNECTIONS, "too many connections");
      connection *new = &server->connections[server->connection_count++];
      *new = (connection){.server = server, .descriptor = descriptor};
      insist(pthread_create(&new->thread, NULL, serve, new) == 0, "pthread_create");
    }
    pthread_mutex_unlock(&server->lock);
    if (stopping)
      return NULL;
  }
}

loopback *loopback_start(const loopback_step *script, size_t steps) {
  loopback *server = calloc(1, sizeof *server);
  insist(server != NULL, "calloc");
  server->script = script;
  server->steps = steps;
  pthread_mutex_init(&server->lock, NULL);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  insist(server->listener >= 0, "socket");
  insist(bind(server->listener, (struct sockaddr *)&address, size) == 0, "bind");
  insist(listen(server->listener, 512) == 0, "listen");
  insist(getsockname(server->listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
  server->port = ntohs(address.sin_port);
  insist(pthread_create(&server->acceptor, NULL, accept_all, server) == 0, "pthread_create");
  return server;
}

void loopback_stop(loopback *server) {
  stop_listening(server);
  pthread_join(server->acceptor, NULL);
  close(server->listener);
  for (int i = 0; i < server->connection_count; i++) {
    pthread_mutex_lock(&server->lock);
    if (server->connections[i].descriptor >= 0)
      shutdown(server->connections[i].descriptor, SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->connections[i].thread, NULL);
  }
  for (int i = 0; i < server->request_count; i++)
    free(server->requests[i]);
  pthread_mutex_destroy(&server->lock);
  free(server);
}

int loopback_port(const loopback *server) {
  return server->port;
}

int loopback_connections(loopback *server) {
  pthread_mutex_lock(&server->lock);
  int count = server->connection_count;
  pthread_mutex_unlock(&server->lock);
  return count;
}

int loopback_requests(loopback *server) {
  pthread_mutex_lock(&server->lock);
  int count = server->request_count;
  pthread_mutex_unlock(&server->lock);
  return count;
}

size_t loopback_received(loopback *server) {
  pthread_mutex_lock(&server->lock);
  size_t received = server->received;
  pthread_mutex_unlock(&server->lock);
  return received;
}

const char *loopback_request(loopback *server, int index) {
  pthread_mutex_lock(&server->lock);
  const char *text = index < server->request_count ? server->requests[index] : NULL;
  pthread_mutex_unlock(&server->lock);
  return text;
}

int loopback_count(loopback *server, const char *start) {
  int count = 0;
  for (int i = 0; i < loopback_requests(server); i++)
    count += strncmp(loopback_request(server, i), start, strlen(start)) == 0;
  return count;
}
