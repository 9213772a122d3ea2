/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#include "../core/credential.h"
#include "answer.h"
#include "error.h"
#include "json.h"

#include <string.h>

/* version, scope, project id, noun, id: no path of the service is longer */
#define MOST_SEGMENTS 8

static lcai_call *check(lua_State *L, int index) {
  lcai_call *slot = lcai_checkudata(L, index, LCAI_CALL);
  luaL_argcheck(L, slot->call != NULL, index, "the call is gone");
  return slot;
}

lcai_call *lcai_call_check_finished(lua_State *L, int index) {
  lcai_call *slot = check(L, index);
  luaL_argcheck(L, slot->call->state == CAI_CALL_FINISHED, index, "the call is not finished");
  return slot;
}

static cai_method check_method(lua_State *L, int index) {
  static const char *const names[] = {"GET", "POST", "PUT", "DELETE", NULL};
  static const cai_method values[] = {CAI_GET, CAI_POST, CAI_PUT, CAI_DELETE};
  return values[lcai_check_choice(L, index, names)];
}

/* Reads the array of path segments at `index`, whose strings stay alive in it. */
static size_t check_segments(lua_State *L, int index, cai_segment segments[MOST_SEGMENTS]) {
  luaL_checktype(L, index, LUA_TTABLE);
  size_t count = lua_rawlen(L, index);
  luaL_argcheck(L, count > 0 && count <= MOST_SEGMENTS, index, "no path, or one of too many segments");
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, index, (int)i + 1);
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, index, "a path segment is not a string");
    segments[i].bytes = lua_tolstring(L, -1, &segments[i].length);
    luaL_argcheck(L, cai_segment_check(segments[i]) == CAI_SEGMENT_GOOD, index,
                  "a path segment is empty, a dot segment, or holds a control character");
    lua_pop(L, 1);
  }
  return count;
}

/* The text of the flag whose value is on top; it stays alive in the table of flags. */
static const char *text_flag(lua_State *L, int index, const char *name, size_t *length) {
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_argerror(L, index, lua_pushfstring(L, "flag '%s': string expected", name));
  return lua_tolstring(L, -1, length);
}

static bool boolean_flag(lua_State *L, int index, const char *name) {
  if (!lua_isboolean(L, -1))
    luaL_argerror(L, index, lua_pushfstring(L, "flag '%s': boolean expected", name));
  return lua_toboolean(L, -1);
}

/* Takes the flag `name`, whose value is on top, into the options. No message quotes a value: it may be a secret. */
static void read_flag(lua_State *L, int index, const char *name, cai_call_options *options) {
  size_t length;
  if (strcmp(name, "credential") == 0) {
    options->credential = text_flag(L, index, name, &options->credential_length);
    cai_credential_fault fault = cai_credential_check(options->credential, options->credential_length);
    luaL_argcheck(L, fault != CAI_CREDENTIAL_EMPTY && fault != CAI_CREDENTIAL_UNPRINTABLE, index,
                  "flag 'credential': printable ASCII without blanks expected");
  } else if (strcmp(name, "query") == 0) {
    options->query = text_flag(L, index, name, &length);
    luaL_argcheck(L, cai_query_check(options->query, length), index,
                  "flag 'query': characters out of A-Z, a-z, 0-9 and ._~=&%- expected");
  } else if (strcmp(name, "fresh") == 0) {
    options->fresh = boolean_flag(L, index, name);
  } else if (strcmp(name, "no_retry") == 0) {
    options->no_retry = boolean_flag(L, index, name);
  } else {
    luaL_argerror(L, index, "no such flag"); /* its name may be a secret */
  }
}

/* Reads the table of flags at `index`. */
static void check_flags(lua_State *L, int index, cai_call_options *options) {
  luaL_checktype(L, index, LUA_TTABLE);
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, index, "the name of a flag is not a string");
    read_flag(L, index, lua_tostring(L, -2), options);
    lua_pop(L, 1);
  }
}

int lcai_call_start(lua_State *L, cai_engine *engine, cai_client *client) {
  cai_segment segments[MOST_SEGMENTS];
  cai_call_options options = {.method = check_method(L, 2), .segments = segments};
  options.segment_count = check_segments(L, 3, segments);
  if (!lua_isnil(L, 5))
    check_flags(L, 5, &options);
  if (!lua_isnil(L, 4)) {
    luaL_checktype(L, 4, LUA_TTABLE);
    lua_pushvalue(L, 4);
    lcai_json_encode(L);
    lua_replace(L, 4);
    options.body = lua_tolstring(L, 4, &options.body_length);
  }
  lcai_call *slot = lcai_class_new(L, LCAI_CALL, sizeof *slot);
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, 1); /* a client that is collected would cancel its call */
  lua_setfield(L, -2, "client");
  lcai_setenvironment(L, 6);
  slot->call = cai_call_new(client, &options);
  if (slot->call == NULL)
    return luaL_error(L, "not enough memory");
  slot->engine = cai_engine_retain(engine);
  cai_engine_start(engine, slot->call);
  return 1;
}

/* call:done() -> boolean */
static int call_done(lua_State *L) {
  lua_pushboolean(L, check(L, 1)->call->state == CAI_CALL_FINISHED);
  return 1;
}

/* call:cancel(): its result will be an error of kind "cancelled", unless it is finished already. */
static int call_cancel(lua_State *L) {
  lcai_call *slot = check(L, 1);
  cai_engine_cancel(slot->engine, slot->call);
  return 0;
}

static void set_number(lua_State *L, const char *name, double number) {
  lua_pushnumber(L, number);
  lua_setfield(L, -2, name);
}

static void set_whole(lua_State *L, const char *name, double number) {
  lcai_pushwhole(L, number);
  lua_setfield(L, -2, name);
}

static void push_attempt(lua_State *L, const cai_attempt_record *record) {
  lua_createtable(L, 0, 5);
  if (record->status > 0)
    set_whole(L, "status", (double)record->status);
  if (record->failure != CAI_KIND_NONE) {
    lua_pushstring(L, cai_kind_name(record->failure));
    lua_setfield(L, -2, "failure");
  }
  set_number(L, "seconds", record->seconds);
  set_whole(L, "bytes", (double)record->bytes);
  if (record->wait >= 0)
    set_number(L, "wait", record->wait);
}

/* call:info() -> { method, path, date (seconds since 1970, of the service's clock), deprecated, link, attempts =
 * { { status, failure, seconds, bytes, wait } ... } } of a finished call. `deprecated` and `link` are known once the
 * result was taken. */
static int call_info(lua_State *L) {
  const lcai_call *slot = lcai_call_check_finished(L, 1);
  const cai_call *call = slot->call;
  lua_settop(L, 1);
  lua_createtable(L, 0, 6);
  lua_pushstring(L, cai_method_name(call->request.method));
  lua_setfield(L, 2, "method");
  lua_pushstring(L, call->request.path);
  lua_setfield(L, 2, "path");
  time_t date = cai_transfer_date(&call->transfer);
  if (date != -1)
    set_whole(L, "date", (double)date);
  lcai_environment_field(L, 1, "deprecated");
  lua_setfield(L, 2, "deprecated");
  lcai_environment_field(L, 1, "link");
  lua_setfield(L, 2, "link");
  lua_createtable(L, call->attempts, 0);
  for (int i = 0; i < call->attempts; i++) {
    push_attempt(L, &call->records[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, 2, "attempts");
  return 1;
}

/* call:body() -> the bytes of a finished call's last answer as they came, as many as came before it broke off, if it
 * did; "" when none came. They may hold a secret. Raises once the result was taken, which wipes them. */
static int call_body(lua_State *L) {
  const lcai_call *slot = lcai_call_check_finished(L, 1);
  luaL_argcheck(L, !slot->taken, 1, "the result was taken already, and the body is wiped");
  cai_buffer *body = &slot->call->transfer.body;
  const char *bytes = cai_buffer_join(body);
  if (bytes == NULL)
    return luaL_error(L, "not enough memory");
  lua_pushlstring(L, bytes, body->length);
  return 1;
}

/* call:failure(kind, message) -> an error with the call's facts, for what the Lua layer finds wrong with an answer of
 * 2xx: of a call that changes something, the outcome is unknown. */
static int call_failure(lua_State *L) {
  static const char *const names[] = {"api", "protocol", NULL};
  static const cai_kind kinds[] = {CAI_KIND_API, CAI_KIND_PROTOCOL};
  const lcai_call *slot = lcai_call_check_finished(L, 1);
  cai_kind kind = kinds[lcai_check_choice(L, 2, names)];
  bool changes = cai_method_changes(slot->call->request.method);
  lcai_error_push_call(L, slot->call, kind, changes ? CAI_OUTCOME_UNKNOWN : CAI_OUTCOME_NONE, luaL_checkstring(L, 3));
  return 1;
}

static int call_gc(lua_State *L) {
  lcai_call *slot = lcai_checkudata(L, 1, LCAI_CALL);
  cai_call *call = slot->call;
  cai_engine *engine = slot->engine;
  slot->call = NULL;
  slot->engine = NULL;
  if (engine != NULL)
    cai_engine_cancel(engine, call); /* nobody can ask for its result any more */
  cai_call_release(call);
  cai_engine_release(engine);
  return 0;
}

static int call_tostring(lua_State *L) {
  static const char *const states[] = {"new", "waiting", "running", "backing off", "finished"};
  const cai_call *call = check(L, 1)->call;
  lua_pushfstring(L, "confidentai.Call %s %s (%s)", cai_method_name(call->request.method), call->request.path,
                  states[call->state]);
  return 1;
}

static const luaL_Reg metamethods[] = {{"__gc", call_gc}, {"__tostring", call_tostring}, {NULL, NULL}};
static const luaL_Reg methods[] = {{"done", call_done}, {"cancel", call_cancel},   {"info", call_info},
                                   {"body", call_body}, {"failure", call_failure}, {"result", lcai_answer_result},
                                   {NULL, NULL}};

const lcai_class lcai_call_class = {LCAI_CALL, metamethods, methods, NULL, NULL};
