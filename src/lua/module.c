/* SPDX-License-Identifier: Apache-2.0 */
#include "../core/checksum.h"
#include "../core/clock.h"
#include "../core/credential.h"
#include "../core/display.h"
#include "../core/envelope.h"
#include "../core/id.h"
#include "../core/key_format.h"
#include "../core/libcurl.h"
#include "../core/random.h"
#include "../core/signals.h"
#include "../core/terminal.h"
#include "../core/utf8.h"
#include "../core/version.h"
#include "api_key.h"
#include "call.h"
#include "client.h"
#include "engine.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "lock.h"
#include "process.h"
#include "scope.h"
#include "stream.h"
#include "timer.h"

#include <curl/curl.h>
#if defined(CAI_PINS_ITSELF)
#include <dlfcn.h>
#endif
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* environment(userdata) -> the table of Lua values that an object of ours carries */
static int environment(lua_State *L) {
  luaL_checktype(L, 1, LUA_TUSERDATA);
  lcai_getenvironment(L, 1);
  return 1;
}

/* is_utf8(text) -> boolean */
static int is_utf8(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_pushboolean(L, cai_utf8_check(text, length));
  return 1;
}

/* clean(text, lines or nil) -> the text as cai_display_clean makes it */
static int clean(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  bool lines = lua_toboolean(L, 2);
  char *copy = lua_newuserdata(L, length + 1);
  memcpy(copy, text, length + 1);
  lua_pushlstring(L, copy, cai_display_clean(copy, length, lines));
  return 1;
}

/* cells(text) -> see cai_display_cells */
static int cells(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_pushinteger(L, (lua_Integer)cai_display_cells(text, length));
  return 1;
}

/* escape_json(json) -> the text as cai_display_escape makes it */
static int escape_json(lua_State *L) {
  size_t length;
  const char *json = luaL_checklstring(L, 1, &length);
  char *escaped = lua_newuserdata(L, CAI_DISPLAY_GROWTH * length + 1);
  lua_pushlstring(L, escaped, cai_display_escape(escaped, json, length));
  return 1;
}

/* now() -> seconds on a clock that only goes forward */
static int now(lua_State *L) {
  lua_pushnumber(L, cai_clock_now());
  return 1;
}

/* terminal(descriptor) -> columns, 0 where it does not know; nil: there is no terminal */
static int terminal(lua_State *L) {
  int columns = cai_terminal_columns((int)luaL_checkinteger(L, 1));
  if (columns < 0)
    lua_pushnil(L);
  else
    lua_pushinteger(L, columns);
  return 1;
}

/* libcurl() -> { version, tls: its TLS library or nil, http2, async_dns: booleans } of the libcurl that is loaded,
 * which need not be the one that this was built with */
static int libcurl(lua_State *L) {
  const curl_version_info_data *facts = curl_version_info(CURLVERSION_NOW);
  lua_newtable(L);
  lua_pushstring(L, facts->version);
  lua_setfield(L, -2, "version");
  lua_pushstring(L, facts->ssl_version); /* NULL pushes nil */
  lua_setfield(L, -2, "tls");
  lua_pushboolean(L, (facts->features & CURL_VERSION_HTTP2) != 0);
  lua_setfield(L, -2, "http2");
  lua_pushboolean(L, (facts->features & CURL_VERSION_ASYNCHDNS) != 0);
  lua_setfield(L, -2, "async_dns");
  return 1;
}

/* watch_signals(ignore_interrupt): SIGHUP, SIGINT (unless it is to be ignored) and SIGTERM are noticed from now on,
 * SIGPIPE is ignored. For the command only. */
static int watch_signals(lua_State *L) {
  if (lua_toboolean(L, 1))
    cai_signals_ignore_interrupt();
  cai_signals_watch();
  return 0;
}

/* caught_signal() -> the name of the signal that has come, once; nil: none */
static int caught_signal(lua_State *L) {
  lua_pushstring(L, cai_signals_take()); /* NULL pushes nil */
  return 1;
}

/* The most that random() gives at once (bytes). */
#define MOST_RANDOM 4096

/* random(count) -> so many bytes from the system's source, 0 to 4096. Raises when the system gives none. */
static int random_bytes(lua_State *L) {
  char bytes[MOST_RANDOM];
  lua_Number count = luaL_checknumber(L, 1);
  luaL_argcheck(L, count >= 0 && count <= MOST_RANDOM && count == floor(count), 1,
                "a whole number from 0 to 4096 is expected");
  if (!cai_random_fill(bytes, (size_t)count))
    return luaL_error(L, "confidentai: the system gives no random numbers");
  lua_pushlstring(L, bytes, (size_t)count);
  return 1;
}

/* checksum(bytes) -> their CRC-32 (IEEE) as 8 hexadecimal digits */
static int checksum(lua_State *L) {
  char digits[9];
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  snprintf(digits, sizeof digits, "%08" PRIx32, cai_checksum(bytes, length));
  lua_pushlstring(L, digits, 8);
  return 1;
}

/* region_of(api_key) -> "US", "EU", "AU" or nil, by the key's prefix */
static int region_of(lua_State *L) {
  size_t length;
  const char *key = luaL_checklstring(L, 1, &length);
  lua_pushstring(L, cai_credential_region(key, length)); /* NULL pushes nil */
  return 1;
}

/* redact(text, secret or nil) -> the text fit for a message: as cai_redact and cai_display_clean make it; NULs become
 * blanks too */
static int redact(lua_State *L) {
  size_t length, secret_length;
  const char *text = luaL_checklstring(L, 1, &length);
  const char *secret = luaL_optlstring(L, 2, "", &secret_length);
  char *copy = lua_newuserdata(L, length + 1); /* collected when pushing fails */
  memcpy(copy, text, length + 1);
  for (size_t i = 0; i < length; i++)
    if (copy[i] == '\0')
      copy[i] = ' ';
  cai_secret *credential = cai_secret_new(secret, secret_length);
  if (credential == NULL)
    return luaL_error(L, "not enough memory");
  cai_redact(copy, credential, NULL);
  cai_secret_free(credential);
  lua_pushlstring(L, copy, cai_display_clean(copy, length, false));
  cai_wipe(copy, length); /* where memory ran out above, it holds no more than the message would */
  return 1;
}

static int complain(lua_State *L, const char *what) {
  lua_pushnil(L);
  lua_pushstring(L, what);
  return 2;
}

/* key_format(text) -> { kind = "org"|"proj"|"global"|"unknown", region = "us" ...|nil } of a whole secret of the
 * service; nil: it is not one. A mask is not one. */
static int key_format(lua_State *L) {
  static const char *const kinds[] = {"unknown", "org", "proj", "global"}; /* in the order of cai_key_kind */
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  cai_key_format format;
  if (!cai_key_format_read(text, length, &format)) {
    lua_pushnil(L);
    return 1;
  }
  lua_createtable(L, 0, 2);
  lua_pushstring(L, kinds[format.kind]);
  lua_setfield(L, -2, "kind");
  if (format.region[0] != '\0') {
    lua_pushstring(L, format.region);
    lua_setfield(L, -2, "region");
  }
  return 1;
}

/* Returns the string at index 2 as the id that goes into a path, or nil and what is wrong. Never quotes it: it may be a
 * secret, such as that of the client at `client`. */
static int text_id(lua_State *L, int client) {
  size_t length;
  const char *text = lua_tolstring(L, 2, &length);
  if (cai_id_is_secret(text, length) || lcai_client_is_credential(L, client, text, length))
    return complain(L, "an id is expected, and this is a secret: it was sent nowhere");
  if (!cai_id_is_text(text, length))
    return complain(L, "an id of 1 to 128 characters out of A-Z, a-z, 0-9, _ and - is expected");
  lua_pushvalue(L, 2);
  return 1;
}

/* project_id(client, value) -> text, or nil and what is wrong */
static int project_id(lua_State *L) {
  lua_settop(L, 2);
  if (lua_type(L, 2) != LUA_TSTRING)
    return complain(L, "a string is expected");
  return text_id(L, 1);
}

/* Returns true if the number at `index` can be an id. An integer beyond 2^53 would become another as a double. */
static bool is_id_number(lua_State *L, int index) {
#if LUA_VERSION_NUM >= 503
  if (lua_isinteger(L, index) && lua_tointeger(L, index) > (lua_Integer)CAI_ID_NUMBER_LIMIT)
    return false;
#endif
  return cai_id_is_number(lua_tonumber(L, index));
}

/* ends_alike(key, secret) -> true if an ApiKey ends as a secret does, as far as its mask shows it; nil: it shows
 * nothing */
static int ends_alike(lua_State *L) {
  size_t length;
  const char *secret = luaL_checklstring(L, 2, &length);
  return lcai_api_key_push_match(L, 1, secret, length);
}

/* json_encode(value) -> text. Raises when the value holds what JSON has not. */
static int json_encode(lua_State *L) {
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  lcai_json_encode(L);
  return 1;
}

/* envelope(text) -> true or false, as the service's envelope says of its success; nil: the text is not one */
static int envelope(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  cai_envelope said = cai_envelope_read(text, length);
  if (said == CAI_ENVELOPE_NONE)
    lua_pushnil(L);
  else
    lua_pushboolean(L, said == CAI_ENVELOPE_SUCCESS);
  return 1;
}

/* json_decode(text) -> value; nil: it is not JSON */
static int json_decode(lua_State *L) {
  luaL_checktype(L, 1, LUA_TSTRING);
  lua_settop(L, 1);
  if (!lcai_json_decode(L))
    lua_pushnil(L);
  return 1;
}

/* key_id(api_keys, value) -> text, or nil and what is wrong. `value`: a whole number, a text, or an ApiKey of the same
 * place. */
static int key_id(lua_State *L) {
  lcai_place place = lcai_scope_place(L, 1);
  char digits[32];
  lua_settop(L, 2);
  switch (lua_type(L, 2)) {
  case LUA_TSTRING:
    lcai_environment_field(L, 1, "client");
    return text_id(L, 3);
  case LUA_TNUMBER:
    if (!is_id_number(L, 2))
      return complain(L, "a whole number from 1 to 2^53 is expected");
    snprintf(digits, sizeof digits, "%.0f", lua_tonumber(L, 2));
    lua_pushstring(L, digits);
    return 1;
  case LUA_TUSERDATA:
    if (!lcai_api_key_is(L, 2))
      return complain(L, "an id or an ApiKey is expected");
    if (!lcai_api_key_is_at(L, 2, place))
      return complain(L, "this ApiKey belongs to another scope or project, where the same id means another key");
    lua_pushstring(L, lcai_api_key_id(L, 2));
    return 1;
  default:
    return complain(L, "an id or an ApiKey is expected");
  }
}

/* host() -> the name of this machine; "" where it has none */
static int host(lua_State *L) {
  char name[256] = ""; /* the longest that POSIX has, and its NUL */
  if (gethostname(name, sizeof name - 1) != 0)
    name[0] = '\0';
  lua_pushstring(L, name);
  return 1;
}

static const luaL_Reg functions[] = {{"engine", lcai_engine_get},
                                     {"client", lcai_client_new},
                                     {"organization", lcai_scope_organization},
                                     {"project", lcai_scope_project},
                                     {"projects", lcai_scope_projects},
                                     {"failure", lcai_error_of_table},
                                     {"environment", environment},
                                     {"cells", cells},
                                     {"clean", clean},
                                     {"escape_json", escape_json},
                                     {"is_utf8", is_utf8},
                                     {"host", host},
                                     {"now", now},
                                     {"random", random_bytes},
                                     {"checksum", checksum},
                                     {"key_format", key_format},
                                     {"region_of", region_of},
                                     {"project_id", project_id},
                                     {"key_id", key_id},
                                     {"ends_alike", ends_alike},
                                     {"json_encode", json_encode},
                                     {"json_decode", json_decode},
                                     {"envelope", envelope},
                                     {"redact", redact},
                                     {"process", lcai_process_start},
                                     {"program", lcai_process_program},
                                     {"terminal", terminal},
                                     {"libcurl", libcurl},
                                     {"watch_signals", watch_signals},
                                     {"caught_signal", caught_signal},
                                     {NULL, NULL}};

static const lcai_class *const classes[] = {&lcai_engine_class,       &lcai_client_class,  &lcai_call_class,
                                            &lcai_organization_class, &lcai_project_class, &lcai_projects_class,
                                            &lcai_api_keys_class,     &lcai_api_key_class, &lcai_content_class,
                                            &lcai_lock_class,         &lcai_process_class, &lcai_timer_class};

/* Where the linker cannot say so, keeps this code from ever being unloaded: a resolver's thread may outlive the Lua
 * state that loaded us, and a fork calls us at any time. */
static void stay_loaded(void) {
#if defined(CAI_PINS_ITSELF)
  static const char within = 0;
  Dl_info self;
  if (dladdr(&within, &self) != 0) /* never closed */
    dlopen(self.dli_fname, RTLD_LAZY | RTLD_NODELETE);
#endif
}

/* confidentai.core: what the Lua layer builds on. `methods` holds the method table of each class by its short name,
 * `file` the functions of durable files, `stream` those of the command's descriptors. */
__attribute__((visibility("default"))) int luaopen_confidentai_core(lua_State *L) {
  char problem[CAI_LIBCURL_MESSAGE];
  if (!cai_libcurl_serves(problem))
    return luaL_error(L, "confidentai: %s", problem);
  stay_loaded();
  lcai_json_open(L);
  lcai_error_open(L);
  lua_newtable(L);
  lcai_setfuncs(L, functions, 0);
  lua_newtable(L);
  for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
    lcai_class_open(L, classes[i]);
  lcai_class_open_light(L, &lcai_api_key_class, LCAI_API_KEY_LIGHT);
  lua_setfield(L, -2, "methods");
  lcai_file_open(L);
  lua_setfield(L, -2, "file");
  lcai_stream_open(L);
  lua_setfield(L, -2, "stream");
  lua_pushliteral(L, CAI_VERSION);
  lua_setfield(L, -2, "_VERSION");
  return 1;
}
