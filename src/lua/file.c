/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include "../core/file.h"
#include "../core/filesystem.h"
#include "../core/folder.h"
#include "lock.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Names of one folder, in bytes: a bound for the memory, far beyond any folder that this is for. */
#define MOST_NAMES ((size_t)1 << 26)

const char *lcai_file_path(lua_State *L, int index) {
  size_t length;
  const char *path = luaL_checklstring(L, index, &length);
  luaL_argcheck(L, length > 0 && strlen(path) == length, index, "a path is expected: not empty, without NUL");
  return path;
}

void lcai_file_push_problem(lua_State *L, const char *path, const cai_problem *problem) {
  lua_pushfstring(L, "%s: cannot %s: %s", path, problem->step, strerror(problem->number));
}

/* nil, message, name of the errno */
static int fail(lua_State *L, const char *path, const cai_problem *problem) {
  lua_pushnil(L);
  lcai_file_push_problem(L, path, problem);
  lua_pushstring(L, cai_problem_name(problem->number));
  return 3;
}

/* true, or nil, message, "failed" or "unknown", name of the errno */
static int push_result(lua_State *L, cai_file_result result, const char *path, const cai_problem *problem) {
  if (result == CAI_FILE_DONE) {
    lua_pushboolean(L, true);
    return 1;
  }
  fail(L, path, problem);
  lua_pushstring(L, result == CAI_FILE_FAILED ? "failed" : "unknown");
  lua_insert(L, -2);
  return 4;
}

/* Devices and inodes have 64 bits, of which every Lua keeps what it can: they serve to be compared. */
static void set_number(lua_State *L, const char *name, unsigned long long number) {
#if LUA_VERSION_NUM >= 503
  lua_pushinteger(L, (lua_Integer)number);
#else
  lua_pushnumber(L, (lua_Number)number);
#endif
  lua_setfield(L, -2, name);
}

static void push_facts(lua_State *L, const struct stat *facts) {
  lua_createtable(L, 0, 10);
  lua_pushstring(L, S_ISREG(facts->st_mode)   ? "file"
                    : S_ISDIR(facts->st_mode) ? "folder"
                    : S_ISLNK(facts->st_mode) ? "symlink"
                                              : "other");
  lua_setfield(L, -2, "kind");
  set_number(L, "mode", facts->st_mode & 07777);
  set_number(L, "uid", facts->st_uid);
  set_number(L, "gid", facts->st_gid);
  set_number(L, "links", facts->st_nlink);
  set_number(L, "device", facts->st_dev);
  set_number(L, "inode", facts->st_ino);
  set_number(L, "size", (unsigned long long)facts->st_size);
  lua_pushboolean(L, facts->st_uid == geteuid());
  lua_setfield(L, -2, "own");
}

/* read(path, limit) -> content, facts | nil, message, errno name. More than `limit` bytes is EFBIG. */
static int file_read(lua_State *L) {
  cai_problem problem;
  struct stat facts;
  const char *path = lcai_file_path(L, 1);
  double limit = luaL_checknumber(L, 2);
  luaL_argcheck(L, limit >= 0 && limit <= INT_MAX, 2, "a count of bytes is expected");
  cai_buffer *content = lcai_class_new(L, LCAI_CONTENT, sizeof *content);
  cai_buffer_init(content, (size_t)limit);
  bool done = cai_file_read(path, content, &facts, &problem);
  const char *bytes = done ? cai_buffer_join(content) : NULL;
  if (done && bytes == NULL)
    done = cai_problem_note_number(&problem, "read it", ENOMEM);
  if (!done) {
    cai_buffer_clear(content);
    return fail(L, path, &problem);
  }
  lua_pushlstring(L, bytes, content->length);
  cai_buffer_clear(content);
  push_facts(L, &facts);
  return 2;
}

static bool read_flag(lua_State *L, const char *name) {
  bool flag = lcai_getfield(L, 3, name) != LUA_TNIL && lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

/* replace(path, bytes[, {keep =, rehearse =, spare =}]) -> true | nil, message, "failed" or "unknown", errno name */
static int file_replace(lua_State *L) {
  cai_file_options options = {.keep = false};
  cai_problem problem;
  size_t length;
  const char *path = lcai_file_path(L, 1), *bytes = luaL_checklstring(L, 2, &length);
  lua_settop(L, 3);
  if (!lua_isnil(L, 3)) {
    luaL_checktype(L, 3, LUA_TTABLE);
    options.keep = read_flag(L, "keep");
    options.rehearse = read_flag(L, "rehearse");
    if (lcai_getfield(L, 3, "spare") != LUA_TNIL) /* stays on the stack */
      options.spare = lcai_file_path(L, -1);
  }
  return push_result(L, cai_file_write(path, bytes, length, &options, &problem), path, &problem);
}

/* create(path, bytes) -> as replace; EEXIST when something is there */
static int file_create(lua_State *L) {
  const cai_file_options options = {.exclusive = true};
  cai_problem problem;
  size_t length;
  const char *path = lcai_file_path(L, 1), *bytes = luaL_checklstring(L, 2, &length);
  return push_result(L, cai_file_write(path, bytes, length, &options, &problem), path, &problem);
}

/* remove(path) -> as replace */
static int file_remove(lua_State *L) {
  cai_problem problem;
  const char *path = lcai_file_path(L, 1);
  return push_result(L, cai_file_remove(path, &problem), path, &problem);
}

/* list(path) -> names in a folder | nil, message, errno name */
static int file_list(lua_State *L) {
  cai_problem problem;
  const char *path = lcai_file_path(L, 1);
  cai_buffer *names = lcai_class_new(L, LCAI_CONTENT, sizeof *names);
  cai_buffer_init(names, MOST_NAMES);
  bool done = cai_folder_list(path, names, &problem);
  const char *name = done ? cai_buffer_join(names) : NULL;
  if (done && name == NULL)
    done = cai_problem_note_number(&problem, "list the folder", ENOMEM);
  if (!done)
    return fail(L, path, &problem);
  lua_newtable(L);
  const char *end = name + names->length;
  for (int i = 1; name < end; i++, name += strlen(name) + 1) {
    lua_pushstring(L, name);
    lua_rawseti(L, -2, i);
  }
  return 1;
}

/* make_folder(path) -> true | nil, message, errno name. With what is missing above it; mode 0700. */
static int file_make_folder(lua_State *L) {
  cai_problem problem;
  const char *path = lcai_file_path(L, 1);
  if (!cai_folder_make(path, &problem))
    return fail(L, path, &problem);
  lua_pushboolean(L, true);
  return 1;
}

/* facts(path) -> { kind, mode, uid, gid, links, device, inode, size, own, frozen } | nil, message, errno name. A
 * symbolic link is not followed. */
static int file_facts(lua_State *L) {
  struct stat facts;
  cai_problem problem;
  const char *path = lcai_file_path(L, 1);
  if (lstat(path, &facts) != 0) {
    cai_problem_note(&problem, "look at it");
    return fail(L, path, &problem);
  }
  push_facts(L, &facts);
  lua_pushboolean(L, cai_filesystem_is_frozen(path));
  lua_setfield(L, -2, "frozen");
  return 1;
}

/* filesystem(path) -> { kind, read_only, free } | nil, message, errno name */
static int file_filesystem(lua_State *L) {
  cai_filesystem filesystem;
  cai_problem problem;
  const char *path = lcai_file_path(L, 1);
  if (!cai_filesystem_look(path, &filesystem, &problem))
    return fail(L, path, &problem);
  lua_createtable(L, 0, 3);
  lua_pushstring(L, filesystem.kind);
  lua_setfield(L, -2, "kind");
  lua_pushboolean(L, filesystem.read_only);
  lua_setfield(L, -2, "read_only");
  lua_pushnumber(L, filesystem.free);
  lua_setfield(L, -2, "free");
  return 1;
}

/* resolve(path) -> the path of the same file or folder, absolute and without symbolic links | nil, message, errno name
 */
static int file_resolve(lua_State *L) {
  char resolved[PATH_MAX];
  cai_problem problem;
  const char *path = lcai_file_path(L, 1);
  if (realpath(path, resolved) == NULL) {
    cai_problem_note(&problem, "find it");
    return fail(L, path, &problem);
  }
  lua_pushstring(L, resolved);
  return 1;
}

static int content_clear(lua_State *L) {
  cai_buffer_clear(lcai_checkudata(L, 1, LCAI_CONTENT));
  return 0;
}

static const luaL_Reg functions[] = {{"read", file_read},
                                     {"replace", file_replace},
                                     {"create", file_create},
                                     {"remove", file_remove},
                                     {"list", file_list},
                                     {"make_folder", file_make_folder},
                                     {"facts", file_facts},
                                     {"filesystem", file_filesystem},
                                     {"resolve", file_resolve},
                                     {"lock", lcai_lock_take},
                                     {NULL, NULL}};

void lcai_file_open(lua_State *L) {
  lua_newtable(L);
  lcai_setfuncs(L, functions, 0);
}

static const luaL_Reg metamethods[] = {{"__gc", content_clear}, {NULL, NULL}};
static const luaL_Reg methods[] = {{NULL, NULL}};

const lcai_class lcai_content_class = {LCAI_CONTENT, metamethods, methods, NULL, NULL};
