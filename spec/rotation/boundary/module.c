/* SPDX-License-Identifier: Apache-2.0 */
/* What the harness in Lua needs of the system: processes, pipes, and orders for the boundaries. */
#include "boundary.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(lua_State *L, const char *what) {
  return luaL_error(L, "%s: %s", what, strerror(errno));
}

static const struct {
  const char *name;
  boundary_orders orders;
} orders[] = {
    {"count", {.action = BOUNDARY_COUNT}},
    {"kill", {.action = BOUNDARY_KILL}},
    {"enospc", {.action = BOUNDARY_FAIL, .number = ENOSPC}},
    {"eio", {.action = BOUNDARY_FAIL, .number = EIO}},
    {"broken", {.action = BOUNDARY_BREAK, .number = EIO}},
    {"full", {.action = BOUNDARY_FULL}},
    {"short", {.action = BOUNDARY_SHORT}},
    {"ask", {.action = BOUNDARY_ASK}},
};

/* arm(action, at, out, in): `at` is a boundary's number, from 1; out and in are descriptors for "ask". */
static int arm(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
    if (strcmp(name, orders[i].name) != 0)
      continue;
    boundary_orders chosen = orders[i].orders;
    chosen.at = (long)luaL_optinteger(L, 2, 0);
    chosen.out = (int)luaL_optinteger(L, 3, -1);
    chosen.in = (int)luaL_optinteger(L, 4, -1);
    boundary_arm(&chosen);
    return 0;
  }
  return luaL_argerror(L, 1, "no such action");
}

/* disarm() -> count */
static int disarm(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)boundary_disarm());
  return 1;
}

/* spawn() -> pid, out of the child, in of the child; in the child 0 and its own ends of the pipes. */
static int spawn(lua_State *L) {
  int up[2], down[2];
  if (pipe2(up, O_CLOEXEC) != 0 || pipe2(down, O_CLOEXEC) != 0)
    return fail(L, "pipe");
  pid_t pid = fork();
  if (pid < 0)
    return fail(L, "fork");
  close(pid == 0 ? up[0] : up[1]);
  close(pid == 0 ? down[1] : down[0]);
  lua_pushinteger(L, (lua_Integer)pid);
  lua_pushinteger(L, pid == 0 ? up[1] : up[0]);
  lua_pushinteger(L, pid == 0 ? down[0] : down[1]);
  return 3;
}

/* fork() -> pid, or 0 in the child, which has the same descriptors. */
static int fork_alone(lua_State *L) {
  pid_t pid = fork();
  if (pid < 0)
    return fail(L, "fork");
  lua_pushinteger(L, (lua_Integer)pid);
  return 1;
}

/* wait(pid) -> status, or nil and the signal. */
static int wait_for(lua_State *L) {
  int status;
  while (waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0) < 0) {
    if (errno != EINTR)
      return fail(L, "waitpid");
  }
  if (WIFEXITED(status)) {
    lua_pushinteger(L, WEXITSTATUS(status));
    return 1;
  }
  lua_pushnil(L);
  lua_pushinteger(L, WTERMSIG(status));
  return 2;
}

/* kill(pid): SIGKILL to a child. */
static int kill_child(lua_State *L) {
  pid_t pid = (pid_t)luaL_checkinteger(L, 1);
  luaL_argcheck(L, pid > 1, 1, "no child");
  if (kill(pid, SIGKILL) != 0)
    return fail(L, "kill");
  return 0;
}

/* read(descriptor) -> a line without its end, or nil at the end. The child writes a line at once, and waits then. */
static int read_line(lua_State *L) {
  char line[PIPE_BUF];
  ssize_t length;
  do
    length = read((int)luaL_checkinteger(L, 1), line, sizeof line);
  while (length < 0 && errno == EINTR);
  if (length < 0)
    return fail(L, "read");
  if (length == 0)
    lua_pushnil(L);
  else
    lua_pushlstring(L, line, (size_t)length - 1);
  return 1;
}

/* write(descriptor, text) */
static int write_text(lua_State *L) {
  size_t length, done = 0;
  const char *text = luaL_checklstring(L, 2, &length);
  while (done < length) {
    ssize_t count = write((int)luaL_checkinteger(L, 1), text + done, length - done);
    if (count < 0 && errno != EINTR)
      return fail(L, "write");
    done += count > 0 ? (size_t)count : 0;
  }
  return 0;
}

static int close_descriptor(lua_State *L) {
  close((int)luaL_checkinteger(L, 1));
  return 0;
}

/* redirect(path): standard output and error go to a file from now on. */
static int redirect(lua_State *L) {
  int descriptor = open(luaL_checkstring(L, 1), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0 || dup2(descriptor, 1) < 0 || dup2(descriptor, 2) < 0)
    return fail(L, "redirect");
  close(descriptor);
  return 0;
}

/* leave(status): ends the process at once, without finalizers. */
static int leave(lua_State *L) {
  _exit((int)luaL_checkinteger(L, 1));
}

/* use_fresh_memory(): Lua's further memory is new, and is never given back: for a process that lives briefly, without
 * collector, and would have to copy each page that it shares with its parent before it writes there. */
static int use_fresh_memory(lua_State *L) {
  lua_setallocf(L, boundary_allocate, NULL);
  return 0;
}

static int forget_syncs(lua_State *L) {
  (void)L;
  boundary_forget_syncs();
  return 0;
}

static const luaL_Reg functions[] = {
    {"arm", arm},
    {"disarm", disarm},
    {"spawn", spawn},
    {"fork", fork_alone},
    {"use_fresh_memory", use_fresh_memory},
    {"wait", wait_for},
    {"kill", kill_child},
    {"read", read_line},
    {"write", write_text},
    {"close", close_descriptor},
    {"redirect", redirect},
    {"leave", leave},
    {"forget_syncs", forget_syncs},
    {NULL, NULL},
};

__attribute__((visibility("default"))) int luaopen_boundary(lua_State *L) {
  lua_newtable(L);
  for (const luaL_Reg *function = functions; function->name != NULL; function++) {
    lua_pushcfunction(L, function->func);
    lua_setfield(L, -2, function->name);
  }
  return 1;
}
