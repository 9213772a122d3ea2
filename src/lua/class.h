/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_CLASS_H
#define LCAI_CLASS_H

#include "compat.h"

/* The kinds of userdata. The Lua layer adds the methods that may wait to their method tables, since a yield across a C
 * function fails. */
#define LCAI_ENGINE "confidentai.Engine"
#define LCAI_TIMER "confidentai.Timer"
#define LCAI_CLIENT "confidentai.Client"
#define LCAI_CALL "confidentai.Call"
#define LCAI_ORGANIZATION "confidentai.Organization"
#define LCAI_PROJECT "confidentai.Project"
#define LCAI_PROJECTS "confidentai.Projects"
#define LCAI_API_KEYS "confidentai.ApiKeys"
#define LCAI_API_KEY "confidentai.ApiKey"
#define LCAI_CONTENT "confidentai.Content"
#define LCAI_LOCK "confidentai.Lock"
#define LCAI_PROCESS "confidentai.Process"
#define LCAI_API_KEY_LIGHT LCAI_API_KEY ".light" /* that never had a secret */

typedef struct {
  const char *name;
  const luaL_Reg *metamethods; /* without __index and __newindex */
  const luaL_Reg *methods;
  const char *const *fields; /* their names; NULL: there are none */
  lua_CFunction field;       /* pushes a field: (userdata of this class, one of the names) */
} lcai_class;

/* Makes the metatable of a class, once for each Lua state, and stores its table of methods as `methods[short name]` in
 * the table on top of the stack. */
void lcai_class_open(lua_State *L, const lcai_class *class);

/* Makes a second metatable of an open class, known as `light`: for objects of it that have nothing to let go of. All is
 * the same but __gc, which makes an object dear to a collector. */
void lcai_class_open_light(lua_State *L, const lcai_class *class, const char *light);

/* Pushes a zeroed userdata of a class. Fill it only after this: Lua may raise before. */
void *lcai_class_new(lua_State *L, const char *name, size_t size);

/* The position of the text at `index` in `names`, which a NULL ends. Raises otherwise, and does not repeat the text: it
 * may be a secret. */
int lcai_check_choice(lua_State *L, int index, const char *const names[]);

/* Pushes the field `name` of the environment of the userdata at `index` (positive). */
void lcai_environment_field(lua_State *L, int index, const char *name);

#endif
