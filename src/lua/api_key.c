/* SPDX-License-Identifier: Apache-2.0 */
#include "api_key.h"

#include "../core/key_format.h"
#include "../core/message.h"
#include "record.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The texts of a key, one behind the other behind the struct, each with a NUL at its end. */
enum { ID = 0, NAME, MASKED, SECRET, CREATED_AT, LAST_USED, ROTATES_AT, REPLACEMENT, PROJECT_ID, TEXTS };

typedef struct {
  double id; /* 0: the id is the text only */
  bool valid, project, has_secret;
  bool present[TEXTS];
  uint32_t at[TEXTS + 1]; /* where each begins in `bytes`, and where the last ends */
  char bytes[];
} api_key;

/* A key without a secret is a light object of its class. */
static api_key *check(lua_State *L, int index) {
  api_key *key = lcai_testudata(L, index, LCAI_API_KEY_LIGHT);
  return key != NULL ? key : lcai_checkudata(L, index, LCAI_API_KEY);
}

static const char *text_of(const api_key *key, int which) {
  return key->bytes + key->at[which];
}

static size_t length_of(const api_key *key, int which) {
  return key->at[which + 1] - key->at[which] - 1;
}

static void push_text(lua_State *L, const api_key *key, int which) {
  if (key->present[which])
    lua_pushlstring(L, text_of(key, which), length_of(key, which));
  else
    lua_pushnil(L);
}

static const char *const key_fields[] = {"id",    "name",       "valid",      "value",      "created_at",  "last_used",
                                         "scope", "project_id", "has_secret", "rotates_at", "replacement", NULL};

static int key_field(lua_State *L) {
  const api_key *key = lua_touserdata(L, 1);
  const char *name = lua_tostring(L, 2);
  int i = 0;
  while (key_fields[i] != NULL && strcmp(key_fields[i], name) != 0)
    i++;
  switch (i) {
  case 0:
    if (key->id > 0)
      lcai_pushwhole(L, key->id);
    else
      push_text(L, key, ID);
    break;
  case 1:
    push_text(L, key, NAME);
    break;
  case 2:
    lua_pushboolean(L, key->valid);
    break;
  case 3:
    push_text(L, key, key->has_secret ? SECRET : MASKED);
    break;
  case 4:
    push_text(L, key, CREATED_AT);
    break;
  case 5:
    push_text(L, key, LAST_USED);
    break;
  case 6:
    lua_pushstring(L, key->project ? "project" : "organization");
    break;
  case 7:
    push_text(L, key, PROJECT_ID);
    break;
  case 8:
    lua_pushboolean(L, key->has_secret);
    break;
  case 9:
    push_text(L, key, ROTATES_AT);
    break;
  default:
    push_text(L, key, REPLACEMENT);
  }
  return 1;
}

/* key:forget(): wipes the object's own copy of the secret; also __gc and __close. Idempotent. */
static int key_forget(lua_State *L) {
  api_key *key = check(L, 1);
  if (key->has_secret)
    cai_wipe(key->bytes + key->at[SECRET], length_of(key, SECRET));
  key->has_secret = false;
  return 0;
}

/* key:to_table{ reveal = boolean } */
static int key_to_table(lua_State *L) {
  api_key *key = check(L, 1);
  bool reveal = false;
  if (!lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, 2) != 0) {
      if (lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), "reveal") != 0)
        return luaL_argerror(L, 2, "the only option is reveal");
      if (!lua_isboolean(L, -1))
        return luaL_argerror(L, 2, "reveal must be a boolean");
      reveal = lua_toboolean(L, -1);
      lua_pop(L, 1);
    }
  }
  lua_createtable(L, 0, 11);
  for (int i = 0; key_fields[i] != NULL; i++) {
    lua_getfield(L, 1, key_fields[i]);
    lua_setfield(L, -2, key_fields[i]);
  }
  push_text(L, key, reveal && key->has_secret ? SECRET : MASKED);
  lua_setfield(L, -2, "value");
  return 1;
}

static int key_tostring(lua_State *L) {
  api_key *key = check(L, 1);
  char name[81]; /* names have any length and any character: a line of a log wants neither */
  int length = snprintf(name, sizeof name, "%.80s", text_of(key, NAME));
  cai_message_redact(name, NULL);
  lua_pushfstring(L, "confidentai.ApiKey %s%s%s%s %s %s", text_of(key, ID), length > 0 ? " \"" : "", name,
                  length > 0 ? "\"" : "", key->valid ? "enabled" : "disabled", text_of(key, MASKED));
  if (key->project)
    lua_pushfstring(L, " (project %s)", text_of(key, PROJECT_ID));
  else
    lua_pushliteral(L, " (organization)");
  lua_concat(L, 2);
  return 1;
}

static bool same_text(const api_key *a, const api_key *b, int which) {
  size_t length = length_of(a, which);
  return length == length_of(b, which) && memcmp(text_of(a, which), text_of(b, which), length) == 0;
}

/* As check, but for anything else: NULL. */
static const api_key *test(lua_State *L, int index) {
  const api_key *key = lcai_testudata(L, index, LCAI_API_KEY_LIGHT);
  return key != NULL ? key : lcai_testudata(L, index, LCAI_API_KEY);
}

/* From Lua 5.3 on, == asks for userdata of any two kinds. */
static int key_equal(lua_State *L) {
  const api_key *a = test(L, 1), *b = test(L, 2);
  lua_pushboolean(L, a != NULL && b != NULL && a->project == b->project && same_text(a, b, PROJECT_ID) &&
                         same_text(a, b, ID));
  return 1;
}

static const luaL_Reg metamethods[] = {
    {"__tostring", key_tostring}, {"__eq", key_equal}, {"__gc", key_forget}, {"__close", key_forget}, {NULL, NULL}};
static const luaL_Reg methods[] = {{"forget", key_forget}, {"to_table", key_to_table}, {NULL, NULL}};

const lcai_class lcai_api_key_class = {
    .name = LCAI_API_KEY, .metamethods = metamethods, .methods = methods, .fields = key_fields, .field = key_field};

/* What a record says, while its strings are held by the table they are in. */
typedef struct {
  double id;
  bool valid;
  struct {
    const char *bytes; /* NULL: null or absent */
    size_t length;
  } text[TEXTS];
} record;

/* The fields of a record. */
enum { F_ID = 0, F_NAME, F_VALUE, F_CREATED_AT, F_LAST_USED, F_ROTATES_AT, F_REPLACEMENT, F_VALID, FIELDS };
static const char *const fields[] = {"id",       "name",      "value",       "created_at",
                                     "lastUsed", "rotatesAt", "shadowValue", "valid"};

/* What all keys of an answer are made with, on the stack from `names` on: the names of the fields, then the metatable.
 */
typedef struct {
  lcai_place place;
  bool created; /* lcai_api_key_push */
  int names;
} maker;

static maker push_maker(lua_State *L, lcai_place place, bool created) {
  maker made = {.place = place, .created = created, .names = lua_gettop(L) + 1};
  luaL_checkstack(L, FIELDS + LUA_MINSTACK, NULL);
  for (int i = 0; i < FIELDS; i++)
    lua_pushstring(L, fields[i]);
  luaL_getmetatable(L, created ? LCAI_API_KEY : LCAI_API_KEY_LIGHT);
  return made;
}

/* Reads one text of the record on top. The string stays alive in the record. */
static bool read_text(lua_State *L, const maker *m, record *r, int which, int field, bool required) {
  int type = lcai_record_field_at(L, m->names + field);
  if (type == LUA_TSTRING)
    r->text[which].bytes = lua_tolstring(L, -1, &r->text[which].length);
  lua_pop(L, 1);
  if (type == LUA_TSTRING || (type == LUA_TNIL && !required))
    return true;
  return lcai_record_complain(L, fields[field], "no string");
}

#define DIGITS_SIZE 20 /* of 2^53, with room */

/* Writes a whole number to the end of `digits`, and says where it begins: snprintf takes ten times as long, for each
 * key of a list. */
static const char *write_digits(uint64_t number, char digits[DIGITS_SIZE]) {
  char *at = digits + DIGITS_SIZE - 1;
  *at = '\0';
  do
    *--at = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  return at;
}

/* Reads the id; the text of a number goes to `digits`. */
static bool read_id(lua_State *L, const maker *m, record *r, char digits[DIGITS_SIZE]) {
  lcai_record_field_at(L, m->names + F_ID);
  if (!lcai_record_id(L, lua_gettop(L), fields[F_ID]))
    return false;
  if (lua_type(L, -1) == LUA_TNUMBER) {
    r->id = lua_tonumber(L, -1);
    r->text[ID].bytes = write_digits((uint64_t)r->id, digits);
    r->text[ID].length = (size_t)(digits + DIGITS_SIZE - 1 - r->text[ID].bytes);
  } else {
    r->text[ID].bytes = lua_tolstring(L, -1, &r->text[ID].length);
  }
  lua_pop(L, 1);
  return true;
}

/* What `last_used` is where the service leaves it out: only null says that the key was never used. */
static const char unknown[] = "unknown";

static bool is_absent(lua_State *L, const maker *m, int field) {
  lua_pushvalue(L, m->names + field);
  lua_rawget(L, -2);
  bool absent = lua_isnil(L, -1);
  lua_pop(L, 1);
  return absent;
}

static bool read_fields(lua_State *L, const maker *m, record *r) {
  if (!read_text(L, m, r, NAME, F_NAME, false) || !read_text(L, m, r, SECRET, F_VALUE, true) ||
      !read_text(L, m, r, CREATED_AT, F_CREATED_AT, false) || !read_text(L, m, r, LAST_USED, F_LAST_USED, false) ||
      !read_text(L, m, r, ROTATES_AT, F_ROTATES_AT, false) || !read_text(L, m, r, REPLACEMENT, F_REPLACEMENT, false))
    return false;
  if (r->text[LAST_USED].bytes == NULL && is_absent(L, m, F_LAST_USED)) {
    r->text[LAST_USED].bytes = unknown;
    r->text[LAST_USED].length = sizeof unknown - 1;
  }
  if (lcai_record_field_at(L, m->names + F_VALID) != LUA_TBOOLEAN)
    return lcai_record_complain(L, fields[F_VALID], "no boolean");
  r->valid = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return true;
}

static bool is_mask(const char *value, size_t length) {
  return length == 0 || memchr(value, '*', length) != NULL;
}

/* Replaces a text of the record by its mask, which `mask` holds. */
static void mask_text(record *r, int from, int to, char mask[CAI_MASK_SIZE]) {
  cai_mask_shown(r->text[from].bytes, r->text[from].length, mask);
  r->text[to].bytes = mask;
  r->text[to].length = strlen(mask);
}

/* Turns `value` into a secret or a mask, or both. An answer that shows a whole secret where none belongs is masked
 * here; a create that shows a mask has made a key whose secret nobody has. */
static bool sort_value(lua_State *L, record *r, bool created, char mask[CAI_MASK_SIZE]) {
  const char *value = r->text[SECRET].bytes;
  size_t length = r->text[SECRET].length;
  if (created && is_mask(value, length))
    return lcai_record_complain(L, "its secret", "not in the answer");
  if (created && !cai_key_format_read(value, length, NULL))
    return lcai_record_complain(L, "its secret", "not one word in the format of the service's keys");
  mask_text(r, SECRET, MASKED, mask);
  if (!created)
    r->text[SECRET].bytes = NULL;
  return true;
}

static void fill(api_key *key, const record *r, bool project) {
  uint32_t at = 0;
  key->id = r->id;
  key->valid = r->valid;
  key->project = project;
  for (int i = 0; i < TEXTS; i++) {
    key->present[i] = r->text[i].bytes != NULL;
    key->at[i] = at;
    if (key->present[i]) {
      memcpy(key->bytes + at, r->text[i].bytes, r->text[i].length);
      at += (uint32_t)r->text[i].length;
    }
    key->bytes[at++] = '\0';
  }
  key->at[TEXTS] = at;
  key->has_secret = key->present[SECRET];
}

/* Pushes the object of a record. False: it is too long. */
static bool push_object(lua_State *L, const maker *m, const record *r) {
  uint64_t length = 0;
  for (int i = 0; i < TEXTS; i++)
    length += (uint64_t)r->text[i].length + 1;
  if (length > UINT32_MAX)
    return lcai_record_complain(L, "an api key", "too long");
  fill(lcai_newblock(L, sizeof(api_key) + (size_t)length), r, m->place.project);
  lua_pushvalue(L, m->names + FIELDS);
  lua_setmetatable(L, -2);
  return true;
}

/* Replaces the record on top by its ApiKey. False: it is wrong, and how is pushed. */
static bool make(lua_State *L, void *context) {
  const maker *m = context;
  record r = {.id = 0};
  char digits[DIGITS_SIZE], mask[CAI_MASK_SIZE], replacement[CAI_MASK_SIZE];
  if (!lua_istable(L, -1))
    return lcai_record_complain(L, "an api key", "no object");
  if (!read_id(L, m, &r, digits))
    return false;
  if (!read_fields(L, m, &r) || !sort_value(L, &r, m->created, mask)) {
    if (m->created) /* it is there, and nobody has its secret: the user must learn which */
      lua_pushfstring(L, "key %s was created and is of no use, delete it: %s", r.text[ID].bytes, lua_tostring(L, -1));
    return false;
  }
  if (r.text[REPLACEMENT].bytes != NULL)
    mask_text(&r, REPLACEMENT, REPLACEMENT, replacement);
  if (m->place.project) {
    r.text[PROJECT_ID].bytes = m->place.project_id;
    r.text[PROJECT_ID].length = strlen(m->place.project_id);
  }
  if (!push_object(L, m, &r))
    return false;
  lua_replace(L, -2);
  return true;
}

bool lcai_api_key_push(lua_State *L, lcai_place place, bool created) {
  int at = lua_gettop(L);
  maker m = push_maker(L, place, created);
  lua_pushvalue(L, at);
  if (!make(L, &m))
    return false;
  lua_replace(L, at);
  lua_settop(L, at);
  return true;
}

bool lcai_api_key_push_all(lua_State *L, lcai_place place) {
  int array = lua_gettop(L);
  maker m = push_maker(L, place, false);
  lua_pushvalue(L, array);
  if (!lcai_record_each(L, make, &m))
    return false;
  lua_settop(L, array);
  return true;
}

bool lcai_api_key_is(lua_State *L, int index) {
  return test(L, index) != NULL;
}

const char *lcai_api_key_id(lua_State *L, int index) {
  const api_key *key = check(L, index);
  return text_of(key, ID);
}

bool lcai_api_key_is_at(lua_State *L, int index, lcai_place place) {
  api_key *key = check(L, index);
  return key->project == place.project && (!place.project || strcmp(text_of(key, PROJECT_ID), place.project_id) == 0);
}

int lcai_api_key_push_match(lua_State *L, int index, const char *secret, size_t secret_length) {
  const api_key *key = check(L, index);
  const char *shown = text_of(key, MASKED);
  size_t length = length_of(key, MASKED);
  while (length > 0 && *shown == '*') {
    shown++;
    length--;
  }
  if (length == 0)
    lua_pushnil(L);
  else
    lua_pushboolean(L, length <= secret_length && memcmp(secret + secret_length - length, shown, length) == 0);
  return 1;
}
