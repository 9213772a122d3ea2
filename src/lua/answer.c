/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include "../core/json_repair.h"
#include "../core/message.h"
#include "error.h"
#include "json.h"
#include "record.h"
#include "scope.h"

#include <stdio.h>

/* Each takes the decoded `data` object on top of the stack and leaves the result on top; false: what is wrong instead.
 * The ApiKeys that keys belong to is at index 3. */
typedef bool (*shape_reader)(lua_State *L);

static bool read_key(lua_State *L, bool created) {
  return lcai_record_table(L, "apiKey", false) && lcai_api_key_push(L, lcai_scope_place(L, 3), created);
}

static bool read_api_key(lua_State *L) {
  return read_key(L, false);
}

static bool read_new_api_key(lua_State *L) {
  return read_key(L, true);
}

static bool read_api_keys(lua_State *L) {
  return lcai_record_table(L, "apiKeys", true) && lcai_api_key_push_all(L, lcai_scope_place(L, 3));
}

static bool read_deleted(lua_State *L) {
  int type = lcai_record_field(L, "deleted"); /* the newer API leaves it out (docs/platform.md) */
  if (type != LUA_TNIL && (type != LUA_TBOOLEAN || !lua_toboolean(L, -1)))
    return lcai_record_complain(L, "deleted", "not true");
  lua_pop(L, 1);
  lcai_record_field(L, "id");
  if (!lcai_record_id(L, lua_gettop(L), "id"))
    return false;
  lua_createtable(L, 0, 2);
  lua_insert(L, -2);
  lua_setfield(L, -2, "id");
  lua_pushboolean(L, true);
  lua_setfield(L, -2, "deleted");
  return true;
}

/* Replaces a record with an id and texts by a plain table in snake_case. `fields`: pairs of names. */
static bool read_plain(lua_State *L, const char *what, const char *const fields[][2]) {
  if (!lua_istable(L, -1))
    return lcai_record_complain(L, what, "no object");
  int record = lua_gettop(L);
  lcai_record_field(L, "id");
  if (!lcai_record_id(L, record + 1, "id"))
    return false;
  lua_createtable(L, 0, 5);
  lua_insert(L, -2);
  lua_setfield(L, -2, "id");
  for (; (*fields)[0] != NULL; fields++) {
    if (!lcai_record_text(L, record, (*fields)[0], (*fields)[1]))
      return false;
  }
  lua_remove(L, record);
  return true;
}

static bool read_project_record(lua_State *L, void *unused) {
  (void)unused;
  static const char *const fields[][2] = {{"name", "name"},
                                          {"description", "description"},
                                          {"organizationId", "organization_id"},
                                          {"created_at", "created_at"},
                                          {NULL, NULL}};
  return read_plain(L, "a project", fields);
}

static bool read_projects(lua_State *L) {
  return lcai_record_table(L, "projects", true) && lcai_record_each(L, read_project_record, NULL);
}

static bool read_project(lua_State *L) {
  return lcai_record_table(L, "project", false) && read_project_record(L, NULL);
}

static bool read_organization(lua_State *L) {
  static const char *const fields[][2] = {
      {"name", "name"}, {"plan", "plan"}, {"created_at", "created_at"}, {NULL, NULL}};
  return lcai_record_table(L, "organization", false) && read_plain(L, "the organization", fields);
}

/* NULL: the data does not matter. */
static shape_reader check_shape(lua_State *L, int index) {
  static const char *const names[] = {"api_key",  "new_api_key", "api_keys", "deleted", "organization",
                                      "projects", "project",     "anything", NULL};
  static const shape_reader readers[] = {read_api_key,      read_new_api_key, read_api_keys, read_deleted,
                                         read_organization, read_projects,    read_project,  NULL};
  return readers[lcai_check_choice(L, index, names)];
}

/* Pushes the decoded body, an object, or what is wrong with it. */
static bool decode(lua_State *L, cai_call *call) {
  if (!cai_json_repair(&call->transfer.body)) {
    lua_pushliteral(L, "out of memory while the answer was read");
    return false;
  }
  lua_pushlstring(L, cai_buffer_join(&call->transfer.body), call->transfer.body.length);
  cai_buffer_clear(&call->transfer.body); /* before the values take memory, too */
  if (!lcai_json_decode(L)) {
    lua_pop(L, 1); /* cjson's words quote the answer */
    lua_pushliteral(L, "the answer is not JSON");
    return false;
  }
  if (lua_istable(L, -1))
    return true;
  lua_pop(L, 1);
  lua_pushliteral(L, "the answer is not a JSON object");
  return false;
}

/* No link is longer; one that is has no place in an error. */
#define LONGEST_LINK 2048

/* Pushes a copy of the link on top, fit for an error. */
static void redact_link(lua_State *L, const cai_call *call) {
  char link[LONGEST_LINK];
  snprintf(link, sizeof link, "%s", lua_tostring(L, -1));
  cai_message_redact(link, call);
  lua_pushstring(L, link);
}

/* Notes the envelope's `deprecated` and `link` in the call's environment. The envelope is on top. */
static void note_envelope(lua_State *L, const cai_call *call) {
  int envelope = lua_gettop(L);
  lcai_getenvironment(L, 1);
  lua_pushvalue(L, envelope);
  if (lcai_record_field(L, "deprecated") == LUA_TBOOLEAN)
    lua_setfield(L, envelope + 1, "deprecated");
  lua_settop(L, envelope + 1);
  lua_pushvalue(L, envelope);
  if (lcai_record_field(L, "link") == LUA_TSTRING && lua_rawlen(L, -1) < LONGEST_LINK) {
    redact_link(L, call);
    lua_setfield(L, envelope + 1, "link");
  }
  lua_settop(L, envelope);
}

/* Pushes nil and the error of a call; `link` of the envelope goes along. */
static int fail(lua_State *L, const cai_call *call, cai_kind kind, cai_outcome outcome, const char *text) {
  char window[8 * CAI_MESSAGE_SIZE], message[CAI_MESSAGE_SIZE]; /* redacted first: a cut could hide a secret's end */
  snprintf(window, sizeof window, "%s", text);
  cai_message_redact(window, call);
  cai_message_set(message, window);
  lua_pushnil(L);
  lcai_error_push_call(L, call, kind, outcome, message);
  lcai_environment_field(L, 1, "link");
  lua_setfield(L, -2, "link");
  return 2;
}

/* The service's own words in the envelope on top, or NULL: there are none, or they are empty. */
static const char *envelope_error(lua_State *L) {
  const char *words = lcai_record_field(L, "error") == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  return words != NULL && words[0] != '\0' ? words : NULL;
}

/* A call that did not end with 2xx: the core said what it is; an envelope may say why. */
static int take_failure(lua_State *L, cai_call *call) {
  if (call->kind != CAI_KIND_API || !decode(L, call))
    return fail(L, call, call->kind, call->outcome, call->message);
  note_envelope(L, call);
  const char *words = envelope_error(L);
  return fail(L, call, call->kind, call->outcome, words != NULL ? words : call->message);
}

/* A 2xx. Only a valid envelope that says success proves anything: all else leaves a change unclear. */
static int take_answer(lua_State *L, cai_call *call, shape_reader reader) {
  cai_outcome unclear = cai_method_changes(call->request.method) ? CAI_OUTCOME_UNKNOWN : CAI_OUTCOME_NONE;
  if (call->status != 200 && call->status != 201) {
    lua_pushfstring(L, "the answer has status %d, where 200 or 201 is due", (int)call->status);
    return fail(L, call, CAI_KIND_PROTOCOL, unclear, lua_tostring(L, -1));
  }
  if (!decode(L, call))
    return fail(L, call, CAI_KIND_PROTOCOL, unclear, lua_tostring(L, -1));
  note_envelope(L, call);
  if (call->envelope == CAI_ENVELOPE_NONE)
    return fail(L, call, CAI_KIND_PROTOCOL, unclear, "unexpected answer: success is not a boolean");
  if (call->envelope == CAI_ENVELOPE_FAILURE) {
    const char *words = envelope_error(L);
    return fail(L, call, CAI_KIND_API, unclear, words != NULL ? words : "the service reported a failure");
  }
  if (reader == NULL) {
    lua_pushboolean(L, true);
    return 1;
  }
  if (!lcai_record_table(L, "data", false) || !reader(L))
    return fail(L, call, CAI_KIND_PROTOCOL, unclear, lua_tostring(L, -1));
  return 1;
}

int lcai_answer_result(lua_State *L) {
  lcai_call *slot = lcai_call_check_finished(L, 1);
  lua_settop(L, 3);
  luaL_argcheck(L, !slot->taken, 1, "the result was taken already");
  shape_reader reader = check_shape(L, 2);
  cai_call *call = slot->call;
  slot->taken = true; /* whatever comes of it: decoding wipes the answer */
  int count;
  if (call->already_done && reader == NULL) {
    lua_pushboolean(L, true);
    count = 1;
  } else if (call->already_done) {
    lua_createtable(L, 0, 1); /* no record: the answer says only that the key is gone */
    lua_pushboolean(L, true);
    lua_setfield(L, -2, "deleted");
    count = 1;
  } else if (call->kind != CAI_KIND_NONE) {
    count = take_failure(L, call);
  } else {
    count = take_answer(L, call, reader);
  }
  cai_buffer_clear(&call->transfer.body);
  return count;
}
