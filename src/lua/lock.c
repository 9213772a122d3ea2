/* SPDX-License-Identifier: Apache-2.0 */
#include "lock.h"

#include "../core/lock.h"
#include "file.h"

#include <string.h>

typedef struct {
  cai_lock lock;
  char path[];
} held;

/* lock:release([remove]): ends the lock, and removes its file if so wished. Also __gc and __close. Idempotent. In a
 * forked process it ends that process's share only. */
static int lock_release(lua_State *L) {
  held *h = lcai_checkudata(L, 1, LCAI_LOCK);
  bool remove = lua_isboolean(L, 2) && lua_toboolean(L, 2);
  cai_lock_release(&h->lock, remove ? h->path : NULL);
  return 0;
}

/* __close gets the error as its second argument. */
static int lock_close(lua_State *L) {
  lua_settop(L, 1);
  return lock_release(L);
}

int lcai_lock_take(lua_State *L) {
  char holder[CAI_LOCK_HOLDER_SIZE];
  cai_problem problem;
  const char *path = lcai_file_path(L, 1);
  double seconds = luaL_optnumber(L, 2, 0);
  size_t size = strlen(path) + 1;
  held *h = lcai_class_new(L, LCAI_LOCK, sizeof *h + size);
  h->lock.descriptor = -1;
  memcpy(h->path, path, size);
  switch (cai_lock_take(&h->lock, path, seconds, holder, &problem)) {
  case CAI_LOCK_TAKEN:
    return 1;
  case CAI_LOCK_HELD:
    lua_pushnil(L);
    lua_pushliteral(L, "held");
    lua_pushstring(L, holder);
    return 3;
  default:
    lua_pushnil(L);
    lua_pushliteral(L, "failed");
    lcai_file_push_problem(L, path, &problem);
    return 3;
  }
}

static const luaL_Reg metamethods[] = {{"__gc", lock_close}, {"__close", lock_close}, {NULL, NULL}};
static const luaL_Reg methods[] = {{"release", lock_release}, {NULL, NULL}};

const lcai_class lcai_lock_class = {LCAI_LOCK, metamethods, methods, NULL, NULL};
