/* SPDX-License-Identifier: Apache-2.0 */
#include "api_key.h"

#include "record.h"

#include <stdio.h>
#include <string.h>

/* The texts of a key, in one block behind the struct. */
enum { ID = 0, NAME, MASKED, SECRET, CREATED_AT, LAST_USED, ROTATES_AT, PROJECT_ID, TEXTS };

typedef struct {
  double id; /* 0: the id is the text only */
  bool valid, project, has_secret;
  struct {
    size_t at, length;
    bool present;
  } text[TEXTS];
  char bytes[];
} api_key;

static api_key *check(lua_State *L, int index) {
  return luaL_checkudata(L, index, LCAI_API_KEY);
}

static void push_text(lua_State *L, const api_key *key, int which) {
  if (key->text[which].present)
    lua_pushlstring(L, key->bytes + key->text[which].at, key->text[which].length);
  else
    lua_pushnil(L);
}

static int key_field(lua_State *L) {
  static const char *const names[] = {"id",    "name",       "valid",      "value",      "created_at", "last_used",
                                      "scope", "project_id", "has_secret", "rotates_at", NULL};
  const api_key *key = lua_touserdata(L, 1);
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  int i = 0;
  while (names[i] != NULL && strcmp(names[i], name) != 0)
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
    lua_pushnil(L);
  }
  return 1;
}

/* key:forget(): wipes the object's own copy of the secret; also __gc and __close. Idempotent. */
static int key_forget(lua_State *L) {
  api_key *key = check(L, 1);
  if (key->has_secret)
    cai_wipe(key->bytes + key->text[SECRET].at, key->text[SECRET].length);
  key->has_secret = false;
  return 0;
}

/* key:to_table{ reveal = boolean } */
static int key_to_table(lua_State *L) {
  static const char *const names[] = {"id",    "name",       "valid",      "created_at", "last_used",
                                      "scope", "project_id", "has_secret", "rotates_at"};
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
  lua_createtable(L, 0, 10);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    lua_getfield(L, 1, names[i]);
    lua_setfield(L, -2, names[i]);
  }
  push_text(L, key, reveal && key->has_secret ? SECRET : MASKED);
  lua_setfield(L, -2, "value");
  return 1;
}

static int key_tostring(lua_State *L) {
  api_key *key = check(L, 1);
  char name[81]; /* names have any length and any character: a line of a log wants neither */
  int length = snprintf(name, sizeof name, "%.*s",
                        (int)(key->text[NAME].length < sizeof name ? key->text[NAME].length : sizeof name - 1),
                        key->bytes + key->text[NAME].at);
  cai_redact(name, NULL, NULL);
  lua_pushfstring(L, "confidentai.ApiKey %s%s%s%s %s %s", key->bytes + key->text[ID].at, length > 0 ? " \"" : "", name,
                  length > 0 ? "\"" : "", key->valid ? "enabled" : "disabled", key->bytes + key->text[MASKED].at);
  if (key->project)
    lua_pushfstring(L, " (project %s)", key->bytes + key->text[PROJECT_ID].at);
  else
    lua_pushliteral(L, " (organization)");
  lua_concat(L, 2);
  return 1;
}

static bool same_text(const api_key *a, const api_key *b, int which) {
  return a->text[which].length == b->text[which].length &&
         memcmp(a->bytes + a->text[which].at, b->bytes + b->text[which].at, a->text[which].length) == 0;
}

/* From Lua 5.3 on, == asks for userdata of any two kinds. */
static const api_key *test(lua_State *L, int index) {
  const api_key *key = lua_touserdata(L, index);
  if (key == NULL || !lua_getmetatable(L, index))
    return NULL;
  luaL_getmetatable(L, LCAI_API_KEY);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same ? key : NULL;
}

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
    .name = LCAI_API_KEY, .metamethods = metamethods, .methods = methods, .field = key_field};

/* What a record says, while its strings are held by the table they are in. */
typedef struct {
  double id;
  bool valid;
  struct {
    const char *bytes; /* NULL: null or absent */
    size_t length;
  } text[TEXTS];
} record;

/* Reads one text of the record on top. The string stays alive in the record. */
static bool read_text(lua_State *L, record *r, int which, const char *field, bool required) {
  int type = lcai_record_field(L, field);
  if (type == LUA_TSTRING)
    r->text[which].bytes = lua_tolstring(L, -1, &r->text[which].length);
  lua_pop(L, 1);
  if (type == LUA_TSTRING || (type == LUA_TNIL && !required))
    return true;
  return lcai_record_complain(L, field, "no string");
}

/* Reads the id; the text of a number goes to `digits`. */
static bool read_id(lua_State *L, record *r, char digits[32]) {
  lcai_record_field(L, "id");
  if (!lcai_record_id(L, lua_gettop(L), "id"))
    return false;
  if (lua_type(L, -1) == LUA_TNUMBER) {
    r->id = lua_tonumber(L, -1);
    r->text[ID].length = (size_t)snprintf(digits, 32, "%.0f", r->id);
    r->text[ID].bytes = digits;
  } else {
    r->text[ID].bytes = lua_tolstring(L, -1, &r->text[ID].length);
  }
  lua_pop(L, 1);
  return true;
}

static bool read_fields(lua_State *L, record *r) {
  if (!read_text(L, r, NAME, "name", false) || !read_text(L, r, SECRET, "value", true) ||
      !read_text(L, r, CREATED_AT, "created_at", false) || !read_text(L, r, LAST_USED, "lastUsed", false) ||
      !read_text(L, r, ROTATES_AT, "rotatesAt", false))
    return false;
  if (lcai_record_field(L, "valid") != LUA_TBOOLEAN)
    return lcai_record_complain(L, "valid", "no boolean");
  r->valid = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return true;
}

/* Writes the mask of a value: of one that is masked already, in whatever form, the end; of a secret, as ever. */
static void write_mask(const char *value, size_t length, char mask[CAI_MASK_SIZE]) {
  size_t shown = 0;
  while (shown < length && shown < CAI_MASK_SHOWN && value[length - 1 - shown] > ' ' &&
         value[length - 1 - shown] < 0x7f && value[length - 1 - shown] != '*')
    shown++;
  memset(mask, '*', CAI_MASK_STARS);
  memcpy(mask + CAI_MASK_STARS, value + length - shown, shown);
  mask[CAI_MASK_STARS + shown] = '\0';
}

/* Turns `value` into a secret or a mask, or both. An answer that shows a whole secret where none belongs is masked
 * here; a create that shows a mask has made a key whose secret nobody has. */
static bool sort_value(lua_State *L, record *r, bool created, char mask[CAI_MASK_SIZE]) {
  const char *value = r->text[SECRET].bytes;
  size_t length = r->text[SECRET].length;
  bool masked = length == 0 || memchr(value, '*', length) != NULL;
  if (created && masked)
    return lcai_record_complain(L, "its secret", "not in the answer");
  if (masked)
    write_mask(value, length, mask);
  else
    cai_mask(value, length, mask);
  r->text[MASKED].bytes = mask;
  r->text[MASKED].length = strlen(mask);
  if (!created)
    r->text[SECRET].bytes = NULL;
  return true;
}

static void fill(api_key *key, const record *r, lcai_place place) {
  size_t at = 0;
  key->id = r->id;
  key->valid = r->valid;
  key->project = place.project;
  for (int i = 0; i < TEXTS; i++) {
    key->text[i].present = r->text[i].bytes != NULL;
    key->text[i].at = at;
    if (r->text[i].bytes != NULL) {
      key->text[i].length = r->text[i].length;
      memcpy(key->bytes + at, r->text[i].bytes, r->text[i].length);
      at += r->text[i].length;
    }
    key->bytes[at++] = '\0';
  }
  key->has_secret = key->text[SECRET].present;
}

bool lcai_api_key_push(lua_State *L, lcai_place place, bool created) {
  record r = {.id = 0};
  char digits[32], mask[CAI_MASK_SIZE];
  if (!lua_istable(L, -1))
    return lcai_record_complain(L, "an api key", "no object");
  if (!read_id(L, &r, digits))
    return false;
  if (!read_fields(L, &r) || !sort_value(L, &r, created, mask)) {
    if (created) /* it is there, and nobody has its secret: the user must learn which */
      lua_pushfstring(L, "key %s was created and is of no use, delete it: %s", r.text[ID].bytes, lua_tostring(L, -1));
    return false;
  }
  if (place.project) {
    r.text[PROJECT_ID].bytes = place.project_id;
    r.text[PROJECT_ID].length = strlen(place.project_id);
  }
  size_t size = sizeof(api_key);
  for (int i = 0; i < TEXTS; i++)
    size += (r.text[i].bytes == NULL ? 0 : r.text[i].length) + 1;
  fill(lcai_class_new(L, LCAI_API_KEY, size), &r, place);
  lua_remove(L, -2);
  return true;
}

const char *lcai_api_key_id(lua_State *L, int index) {
  api_key *key = check(L, index);
  return key->bytes + key->text[ID].at;
}

bool lcai_api_key_is_at(lua_State *L, int index, lcai_place place) {
  api_key *key = check(L, index);
  return key->project == place.project &&
         (!place.project || strcmp(key->bytes + key->text[PROJECT_ID].at, place.project_id) == 0);
}

bool lcai_api_key_matches(lua_State *L, int index, const cai_secret *secret) {
  api_key *key = check(L, index);
  const char *shown = key->bytes + key->text[MASKED].at;
  size_t length = key->text[MASKED].length;
  while (length > 0 && *shown == '*') {
    shown++;
    length--;
  }
  return length > 0 && length <= secret->length && memcmp(secret->bytes + secret->length - length, shown, length) == 0;
}
