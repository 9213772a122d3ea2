/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_SCOPE_H
#define LCAI_SCOPE_H

#include "api_key.h"

/* Organization, Project, ApiKeys and Projects: objects that say where an operation goes. Each keeps its client alive.
 */

extern const lcai_class lcai_organization_class, lcai_project_class, lcai_api_keys_class, lcai_projects_class;

/* The place that the ApiKeys object at `index` stands for. Raises when it is none. */
lcai_place lcai_scope_place(lua_State *L, int index);

/* Lua: organization(client) -> Organization; project(client, id) -> Project, for a checked id; projects(client) ->
 * Projects. */
int lcai_scope_organization(lua_State *L);
int lcai_scope_project(lua_State *L);
int lcai_scope_projects(lua_State *L);

#endif
