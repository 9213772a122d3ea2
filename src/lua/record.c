/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include "../core/id.h"

bool lcai_record_complain(lua_State *L, const char *what, const char *problem) {
  lua_pushfstring(L, "unexpected answer: %s is %s", what, problem);
  return false;
}

/* Replaces the name on top by the field of that name of the table below. */
static int take_field(lua_State *L) {
  lua_rawget(L, -2);
  int type = lua_type(L, -1);
  if (type != LUA_TLIGHTUSERDATA && type != LUA_TUSERDATA) /* cjson.null, or vim.NIL, which Neovim's module gives */
    return type;
  lua_pop(L, 1);
  lua_pushnil(L);
  return LUA_TNIL;
}

int lcai_record_field(lua_State *L, const char *name) {
  lua_pushstring(L, name);
  return take_field(L);
}

int lcai_record_field_at(lua_State *L, int index) {
  lua_pushvalue(L, index);
  return take_field(L);
}

static bool is_array(lua_State *L) {
  if (lua_rawlen(L, -1) > 0)
    return true;
  lua_pushnil(L);
  if (lua_next(L, -2) == 0) /* cjson reads [] and {} alike */
    return true;
  lua_pop(L, 2);
  return false;
}

bool lcai_record_table(lua_State *L, const char *name, bool array) {
  if (lcai_record_field(L, name) == LUA_TTABLE && (!array || is_array(L)))
    return true;
  return lcai_record_complain(L, name, array ? "no array" : "no object");
}

bool lcai_record_id(lua_State *L, int index, const char *what) {
  if (lua_type(L, index) == LUA_TNUMBER && cai_id_is_number(lua_tonumber(L, index))) {
    lcai_pushwhole(L, lua_tonumber(L, index));
    lua_replace(L, index);
    return true;
  }
  if (lua_type(L, index) == LUA_TSTRING) {
    size_t length;
    const char *text = lua_tolstring(L, index, &length);
    if (cai_id_is_text(text, length))
      return true;
  }
  return lcai_record_complain(L, what, "no id");
}

bool lcai_record_text(lua_State *L, int index, const char *from, const char *to) {
  lua_pushvalue(L, index);
  int type = lcai_record_field(L, from);
  lua_remove(L, -2);
  if (type != LUA_TSTRING && type != LUA_TNIL) {
    lua_pop(L, 1);
    return lcai_record_complain(L, from, "no string");
  }
  lua_setfield(L, -2, to);
  return true;
}

/* Pushes what is told of the record at `index`, in which the problem on top was found. */
static void push_unreadable(lua_State *L, int index, int place) {
  lua_createtable(L, 0, 3);
  int entry = lua_gettop(L);
  lua_pushvalue(L, entry - 1);
  lua_setfield(L, entry, "problem");
  lua_pushinteger(L, place);
  lua_setfield(L, entry, "place");
  if (!lua_istable(L, index))
    return;
  lua_pushvalue(L, index);
  lcai_record_field(L, "id");
  if (lcai_record_id(L, lua_gettop(L), "id"))
    lua_setfield(L, entry, "id");
  lua_settop(L, entry);
}

bool lcai_record_each(lua_State *L, lcai_record_reader read, void *context) {
  int array = lua_gettop(L), count = (int)lua_rawlen(L, array), kept = 0, wrong = 0;
  lua_newtable(L);
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, array, i);
    if (read(L, context)) {
      lua_rawseti(L, array, ++kept);
    } else {
      push_unreadable(L, array + 2, i);
      lua_rawseti(L, array + 1, ++wrong);
      lua_settop(L, array + 1);
    }
  }
  for (int i = kept + 1; i <= count; i++) {
    lua_pushnil(L);
    lua_rawseti(L, array, i);
  }
  if (wrong > 0 && kept == 0) {
    lua_rawgeti(L, array + 1, 1);
    lua_getfield(L, -1, "problem");
    return false;
  }
  if (wrong > 0)
    lua_setfield(L, array, "unreadable");
  lua_settop(L, array);
  return true;
}
