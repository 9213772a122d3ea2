/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include "../core/clock.h"
#include "../core/process.h"
#include "../core/program.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  cai_process *process; /* NULL: not started */
} process_slot;

static cai_process *check(lua_State *L, int index) {
  const process_slot *slot = lcai_checkudata(L, index, LCAI_PROCESS);
  luaL_argcheck(L, slot->process != NULL, index, "the process is gone");
  return slot->process;
}

static int fail(lua_State *L, int problem) {
  lua_pushnil(L);
  lua_pushstring(L, strerror(problem));
  return 2;
}

/* Pushes a block with the strings of the array at `index`, which keeps them alive, and NULL. */
static const char *const *push_arguments(lua_State *L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  int count = (int)lua_rawlen(L, index);
  luaL_argcheck(L, count > 0, index, "a program is expected");
  const char **argv = lua_newuserdata(L, ((size_t)count + 1) * sizeof *argv);
  for (int i = 0; i < count; i++) {
    size_t length = 0;
    lua_rawgeti(L, index, i + 1);
    argv[i] = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    lua_pop(L, 1);
    if (argv[i] == NULL || strlen(argv[i]) != length)
      luaL_argerror(L, index, "an array of strings without NUL bytes is expected");
  }
  argv[count] = NULL;
  return argv;
}

/* Reads a string of the table of options, which keeps it alive, or NULL. */
static const char *text_option(lua_State *L, const char *name, size_t *length) {
  int type = lcai_getfield(L, 2, name);
  luaL_argcheck(L, type == LUA_TSTRING || type == LUA_TNIL, 2, name);
  const char *text = lua_tolstring(L, -1, length);
  lua_pop(L, 1);
  return text;
}

static double timeout_option(lua_State *L) {
  int type = lcai_getfield(L, 2, "timeout");
  luaL_argcheck(L, type == LUA_TNIL || (type == LUA_TNUMBER && lua_tonumber(L, -1) > 0), 2, "timeout");
  double seconds = type == LUA_TNIL ? CAI_NEVER : lua_tonumber(L, -1);
  lua_pop(L, 1);
  return seconds;
}

int lcai_process_start(lua_State *L) {
  cai_process_options options = {.timeout = CAI_NEVER};
  size_t unused;
  int problem;
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) {
    luaL_checktype(L, 2, LUA_TTABLE);
    options.input = text_option(L, "input", &options.input_length);
    options.folder = text_option(L, "folder", &unused);
    options.timeout = timeout_option(L);
  }
  options.argv = push_arguments(L, 1);
  process_slot *slot = lcai_class_new(L, LCAI_PROCESS, sizeof *slot);
  slot->process = cai_process_start(&options, &problem);
  return slot->process == NULL ? fail(L, problem) : 1;
}

int lcai_process_program(lua_State *L) {
  char path[CAI_PROGRAM_SIZE];
  int problem = cai_program_find(luaL_checkstring(L, 1), getenv("PATH"), path);
  if (problem != 0)
    return fail(L, problem);
  lua_pushstring(L, path);
  return 1;
}

/* process:step(), process:done() -> whether it has ended. Moves what can be moved, never waits. */
static int process_step(lua_State *L) {
  lua_pushboolean(L, cai_process_step(check(L, 1)));
  return 1;
}

/* process:status() -> exit status; or nil and "running", "signal N", "timeout" (killed at its time limit), "lost"
 * (nobody knows), or "unstarted" and why. */
static int process_status(lua_State *L) {
  int value;
  cai_process_state state = cai_process_status(check(L, 1), &value);
  if (state == CAI_PROCESS_EXITED) {
    lua_pushinteger(L, value);
    return 1;
  }
  lua_pushnil(L);
  switch (state) {
  case CAI_PROCESS_RUNNING:
    lua_pushliteral(L, "running");
    return 2;
  case CAI_PROCESS_KILLED:
    lua_pushfstring(L, "signal %d", value);
    return 2;
  case CAI_PROCESS_TIMED_OUT:
    lua_pushliteral(L, "timeout");
    return 2;
  case CAI_PROCESS_UNSTARTED:
    lua_pushliteral(L, "unstarted");
    lua_pushstring(L, strerror(value));
    return 3;
  default:
    lua_pushliteral(L, "lost");
    return 2;
  }
}

static int push_stream(lua_State *L, const char *bytes, size_t length, bool cut) {
  if (bytes == NULL)
    return luaL_error(L, "not enough memory");
  lua_pushlstring(L, bytes, length);
  lua_pushboolean(L, cut);
  return 2;
}

/* process:output() -> the first 64 KiB of its standard output so far, whether there was more */
static int process_output(lua_State *L) {
  size_t length;
  bool cut;
  const char *bytes = cai_process_output(check(L, 1), &length, &cut);
  return push_stream(L, bytes, length, cut);
}

/* process:errors() -> the last 4 KiB of its standard error so far, whether there was more */
static int process_errors(lua_State *L) {
  size_t length;
  bool cut;
  const char *bytes = cai_process_errors(check(L, 1), &length, &cut);
  return push_stream(L, bytes, length, cut);
}

/* process:kill(): has it and its process group killed, soon. */
static int process_kill(lua_State *L) {
  cai_process_kill(check(L, 1));
  return 0;
}

static int process_gc(lua_State *L) {
  process_slot *slot = lcai_checkudata(L, 1, LCAI_PROCESS);
  cai_process_free(slot->process);
  slot->process = NULL;
  return 0;
}

static const luaL_Reg metamethods[] = {{"__gc", process_gc}, {NULL, NULL}};
static const luaL_Reg methods[] = {{"step", process_step},
                                   {"done", process_step},
                                   {"status", process_status},
                                   {"output", process_output},
                                   {"errors", process_errors},
                                   {"kill", process_kill},
                                   {NULL, NULL}};

const lcai_class lcai_process_class = {LCAI_PROCESS, metamethods, methods, NULL, NULL};
