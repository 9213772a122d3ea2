/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>
#include <stdint.h>

/* Lets a Lua state run out of memory at a chosen allocation. It goes on failing until the protected call returns: Lua
 * answers a single failure with a collection and another try, which would hide what is tested. */

typedef struct {
  lua_Alloc allocate; /* the state's own */
  void *user;
  long left; /* allocations that still succeed; negative: all do */
  long count;
} failing_allocator;

static void *allocate(void *user, void *block, size_t old_size, size_t new_size) {
  failing_allocator *self = user;
  if (new_size > 0 && (block == NULL || new_size > old_size)) {
    self->count++;
    if (self->left == 0)
      return NULL;
    if (self->left > 0)
      self->left--;
  }
  return self->allocate(self->user, block, old_size, new_size);
}

/* run(n, f) -> ok, error, allocations: calls f, whose n-th and every later allocation fails (0: the first). */
static int run(lua_State *L) {
  failing_allocator self = {.left = (long)luaL_checkinteger(L, 1)};
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  self.allocate = lua_getallocf(L, &self.user);
  lua_setallocf(L, allocate, &self);
  int status = lua_pcall(L, 0, 0, 0);
  lua_setallocf(L, self.allocate, self.user);
  lua_pushboolean(L, status == 0);
  if (status == 0)
    lua_pushnil(L);
  else
    lua_pushvalue(L, 2);
  lua_pushinteger(L, (lua_Integer)self.count);
  return 3;
}

/* keep(path) -> boolean: holds a C module in memory past the end of the Lua state, so that a leak checker can still
 * name it. */
static int keep(lua_State *L) {
  lua_pushboolean(L, dlopen(luaL_checkstring(L, 1), RTLD_NOW | RTLD_NODELETE) != NULL);
  return 1;
}

static const luaL_Reg functions[] = {{"run", run}, {"keep", keep}, {NULL, NULL}};

__attribute__((visibility("default"))) int luaopen_failing_allocator(lua_State *L) {
  lua_newtable(L);
  for (const luaL_Reg *function = functions; function->name != NULL; function++) {
    lua_pushcfunction(L, function->func);
    lua_setfield(L, -2, function->name);
  }
  return 1;
}
