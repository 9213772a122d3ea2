/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include "api_key.h"
#include "call.h"
#include "engine.h"
#include "error.h"

#include <limits.h>
#include <math.h>
#include <string.h>

typedef struct {
  cai_engine *engine; /* a reference; NULL once closed */
  cai_client *client; /* a reference, kept until collection: fields and errors need it */
} client_slot;

static client_slot *check(lua_State *L, int index) {
  client_slot *slot = lcai_checkudata(L, index, LCAI_CLIENT);
  luaL_argcheck(L, slot->client != NULL, index, "the client is gone");
  return slot;
}

static client_slot *check_open(lua_State *L, int index) {
  client_slot *slot = check(L, index);
  if (slot->engine == NULL)
    luaL_error(L, "the client is closed");
  return slot;
}

/* The strings of an options table stay alive in it. */
static const char *text_option(lua_State *L, int index, const char *name, size_t *length) {
  lua_getfield(L, index, name);
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, length) : NULL;
  lua_pop(L, 1);
  return text;
}

/* The number of an option, at most `most`; 0: it is not given. */
static double number_option(lua_State *L, int index, const char *name, double most) {
  lua_getfield(L, index, name);
  double number = luaL_optnumber(L, -1, 0);
  lua_pop(L, 1);
  return fmin(number, most);
}

static long milliseconds_option(lua_State *L, int index, const char *name) {
  return (long)fmax(1, number_option(L, index, name, INT_MAX / 1e3) * 1e3);
}

/* A C string cannot hold what follows a NUL: such an option is wrong, and never cut short. */
static const char *with_nul(lua_State *L, int index) {
  static const char *const names[] = {"base_url", "proxy", "ca_file"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    size_t length = 0;
    const char *text = text_option(L, index, names[i], &length);
    if (text != NULL && strlen(text) != length)
      return names[i];
  }
  return NULL;
}

static cai_client_options read_options(lua_State *L, int index) {
  cai_client_options options = {.credential = ""};
  size_t unused;
  options.base_url = text_option(L, index, "base_url", &unused);
  options.proxy = text_option(L, index, "proxy", &unused);
  options.ca_file = text_option(L, index, "ca_file", &unused);
  options.credential = text_option(L, index, "api_key", &options.credential_length);
  options.timeout = milliseconds_option(L, index, "timeout");
  options.connect_timeout = milliseconds_option(L, index, "connect_timeout");
  lua_getfield(L, index, "deadline");
  options.deadline = lua_isnil(L, -1) ? 0 : milliseconds_option(L, index, "deadline");
  lua_pop(L, 1);
  options.max_connections = (int)number_option(L, index, "max_connections", INT_MAX);
  options.max_retries = (int)number_option(L, index, "max_retries", CAI_MAX_RETRIES_LIMIT);
  options.max_response_bytes = (size_t)number_option(L, index, "max_response_bytes", 1e15);
  lua_getfield(L, index, "allow_plain_http");
  options.allow_plain_http = lua_toboolean(L, -1);
  lua_pop(L, 1);
  luaL_argcheck(L, options.base_url != NULL && options.credential != NULL, index, "base_url and api_key are needed");
  return options;
}

int lcai_client_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  const char *cut = with_nul(L, 1);
  if (cut != NULL) {
    lua_pushfstring(L, "%s holds a NUL byte", cut);
    return lcai_error_return(L, CAI_KIND_CONFIG, lua_tostring(L, -1));
  }
  cai_client_options options = read_options(L, 1);
  client_slot *slot = lcai_class_new(L, LCAI_CLIENT, sizeof *slot);
  lua_newtable(L);
  lcai_setenvironment(L, 2);
  lcai_engine_get(L);
  char message[CAI_MESSAGE_SIZE];
  slot->client = cai_client_new(&options, message);
  if (slot->client == NULL)
    return lcai_error_return(L, CAI_KIND_CONFIG, message);
  slot->engine = cai_engine_retain(lcai_engine_check(L, 3));
  lua_settop(L, 2);
  return 1;
}

/* client:close(), also __close. Calls in flight end as cancelled, later ones raise. Idempotent. */
static int client_close(lua_State *L) {
  client_slot *slot = lcai_checkudata(L, 1, LCAI_CLIENT);
  cai_engine *engine = slot->engine;
  slot->engine = NULL;
  if (engine == NULL)
    return 0;
  cai_engine_cancel_all(engine, slot->client);
  cai_engine_release(engine);
  return 0;
}

static int client_gc(lua_State *L) {
  client_slot *slot = lcai_checkudata(L, 1, LCAI_CLIENT);
  client_close(L);
  cai_client_release(slot->client);
  slot->client = NULL;
  return 0;
}

/* Pushes the credential's mask. */
static void push_mask(lua_State *L, const client_slot *slot) {
  char mask[CAI_MASK_SIZE];
  const cai_secret *secret = slot->client->identity->secret;
  cai_mask(secret->bytes, secret->length, mask);
  lua_pushstring(L, mask);
}

static const char *const client_fields[] = {"base_url", "api_key", "projects", "event_errors", NULL};

static int client_field(lua_State *L) {
  const client_slot *slot = check(L, 1);
  const char *name = lua_tostring(L, 2);
  if (strcmp(name, "base_url") == 0)
    lua_pushstring(L, slot->client->base.text);
  else if (strcmp(name, "api_key") == 0)
    push_mask(L, slot);
  else
    lcai_environment_field(L, 1, name);
  return 1;
}

static int client_tostring(lua_State *L) {
  const client_slot *slot = check(L, 1);
  push_mask(L, slot);
  lua_pushfstring(L, "confidentai.Client %s %s%s", slot->client->base.text, lua_tostring(L, -1),
                  slot->engine == NULL ? " (closed)" : "");
  return 1;
}

bool lcai_client_is_credential(lua_State *L, int index, const char *text, size_t length) {
  const cai_secret *credential = check(L, index)->client->identity->secret;
  return credential->length == length && memcmp(credential->bytes, text, length) == 0;
}

/* client:is_credential(text) -> whether a text is the client's own credential */
static int client_is_credential(lua_State *L) {
  size_t length;
  luaL_checktype(L, 2, LUA_TSTRING);
  const char *text = lua_tolstring(L, 2, &length);
  lua_pushboolean(L, lcai_client_is_credential(L, 1, text, length));
  return 1;
}

/* client:replace_credential(secret) -> true, or nil, err of kind "config", as option `api_key` is checked. Later calls
 * are sent with it; calls in flight keep theirs. Raises when the client is closed. */
static int client_replace_credential(lua_State *L) {
  const client_slot *slot = check_open(L, 1);
  size_t length;
  char message[CAI_MESSAGE_SIZE];
  luaL_checktype(L, 2, LUA_TSTRING);
  const char *secret = lua_tolstring(L, 2, &length);
  if (!cai_client_replace_credential(slot->client, secret, length, message))
    return lcai_error_return(L, CAI_KIND_CONFIG, message);
  lua_pushboolean(L, true);
  return 1;
}

/* client:owns(key) -> true if an ApiKey ends as the client's own credential does; nil: the service shows no end of it
 */
static int client_owns(lua_State *L) {
  const client_slot *slot = check(L, 1);
  const cai_secret *own = slot->client->identity->secret;
  return lcai_api_key_push_match(L, 2, own->bytes, own->length);
}

/* client:start(method, segments, body, flags) -> Call. Sends nothing before the engine is stepped. `flags`, all
 * optional:
 *   credential (string)   sent instead of the client's own, for a proof; a project's key may be one, too
 *   no_retry (boolean)    one attempt, whatever max_retries
 *   fresh (boolean)       on a connection of its own, as changes always are, so that libcurl never sends it again
 *   query (string)        follows the path, as it is: "page=1&pageSize=1"
 * Raises when an argument or a flag is wrong, a flag is unknown, or the client is closed. */
static int client_start(lua_State *L) {
  const client_slot *slot = check_open(L, 1);
  lua_settop(L, 5);
  return lcai_call_start(L, slot->engine, slot->client);
}

static const luaL_Reg metamethods[] = {
    {"__gc", client_gc}, {"__close", client_close}, {"__tostring", client_tostring}, {NULL, NULL}};
static const luaL_Reg methods[] = {{"close", client_close},
                                   {"owns", client_owns},
                                   {"start", client_start},
                                   {"is_credential", client_is_credential},
                                   {"replace_credential", client_replace_credential},
                                   {NULL, NULL}};

const lcai_class lcai_client_class = {LCAI_CLIENT, metamethods, methods, client_fields, client_field};
