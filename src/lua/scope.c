/* SPDX-License-Identifier: Apache-2.0 */
#include "scope.h"

#include "../core/id.h"

#include <string.h>

typedef struct {
  bool project;
  char project_id[CAI_ID_SIZE_LIMIT + 1];
} scope;

/* Pushes a scope object whose environment holds the client at index 1. */
static scope *new_scope(lua_State *L, const char *class) {
  scope *made = lcai_class_new(L, class, sizeof *made);
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "client");
  lcai_setenvironment(L, lua_gettop(L) - 1);
  return made;
}

/* Pushes an Organization or a Project with its ApiKeys. */
static void push_with_api_keys(lua_State *L, const char *class, const char *project_id) {
  const char *classes[] = {class, LCAI_API_KEYS};
  lcai_checkudata(L, 1, LCAI_CLIENT);
  for (int i = 0; i < 2; i++) {
    scope *made = new_scope(L, classes[i]);
    made->project = project_id != NULL;
    if (project_id != NULL)
      memcpy(made->project_id, project_id, strlen(project_id) + 1);
  }
  lcai_getenvironment(L, lua_gettop(L) - 1);
  lua_insert(L, -2);
  lua_setfield(L, -2, "api_keys");
  lua_pop(L, 1);
}

int lcai_scope_organization(lua_State *L) {
  push_with_api_keys(L, LCAI_ORGANIZATION, NULL);
  return 1;
}

int lcai_scope_project(lua_State *L) {
  size_t length;
  const char *id = luaL_checklstring(L, 2, &length);
  luaL_argcheck(L, cai_id_is_text(id, length), 2, "no project id");
  push_with_api_keys(L, LCAI_PROJECT, id);
  return 1;
}

int lcai_scope_projects(lua_State *L) {
  lcai_checkudata(L, 1, LCAI_CLIENT);
  new_scope(L, LCAI_PROJECTS);
  return 1;
}

lcai_place lcai_scope_place(lua_State *L, int index) {
  const scope *s = lcai_checkudata(L, index, LCAI_API_KEYS);
  return (lcai_place){.project = s->project, .project_id = s->project_id};
}

static int push_project_id(lua_State *L, const scope *s) {
  if (s->project)
    lua_pushstring(L, s->project_id);
  else
    lua_pushnil(L);
  return 1;
}

static bool is_named(lua_State *L, const char *name) {
  return strcmp(lua_tostring(L, 2), name) == 0;
}

static const char *const organization_fields[] = {"api_keys", NULL};
static const char *const project_fields[] = {"api_keys", "id", NULL};
static const char *const api_keys_fields[] = {"scope", "project_id", NULL};

/* The fields of Organization and Project. */
static int owner_field(lua_State *L) {
  const scope *s = lua_touserdata(L, 1);
  if (is_named(L, "api_keys"))
    lcai_environment_field(L, 1, "api_keys");
  else
    push_project_id(L, s);
  return 1;
}

static int api_keys_field(lua_State *L) {
  const scope *s = lua_touserdata(L, 1);
  if (is_named(L, "scope"))
    lua_pushstring(L, s->project ? "project" : "organization");
  else
    push_project_id(L, s);
  return 1;
}

/* "confidentai.Project clq9z3x1k0001la08f7t3g5p2" */
static int describe(lua_State *L, const char *class) {
  const scope *s = lcai_checkudata(L, 1, class);
  lua_pushfstring(L, "%s%s%s", class, s->project ? " " : "", s->project_id);
  return 1;
}

static int organization_tostring(lua_State *L) {
  return describe(L, LCAI_ORGANIZATION);
}

static int project_tostring(lua_State *L) {
  return describe(L, LCAI_PROJECT);
}

static int api_keys_tostring(lua_State *L) {
  return describe(L, LCAI_API_KEYS);
}

static int projects_tostring(lua_State *L) {
  return describe(L, LCAI_PROJECTS);
}

static const luaL_Reg no_methods[] = {{NULL, NULL}};
static const luaL_Reg organization_meta[] = {{"__tostring", organization_tostring}, {NULL, NULL}};
static const luaL_Reg project_meta[] = {{"__tostring", project_tostring}, {NULL, NULL}};
static const luaL_Reg api_keys_meta[] = {{"__tostring", api_keys_tostring}, {NULL, NULL}};
static const luaL_Reg projects_meta[] = {{"__tostring", projects_tostring}, {NULL, NULL}};

const lcai_class lcai_organization_class = {LCAI_ORGANIZATION, organization_meta, no_methods, organization_fields,
                                            owner_field};
const lcai_class lcai_project_class = {LCAI_PROJECT, project_meta, no_methods, project_fields, owner_field};
const lcai_class lcai_api_keys_class = {LCAI_API_KEYS, api_keys_meta, no_methods, api_keys_fields, api_keys_field};
const lcai_class lcai_projects_class = {LCAI_PROJECTS, projects_meta, no_methods, NULL, NULL};
