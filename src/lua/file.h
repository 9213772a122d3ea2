/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_FILE_H
#define LCAI_FILE_H

#include "../core/problem.h"
#include "class.h"

/* What a file or a folder holds, on its way into Lua: wiped when it is collected, should Lua run out of memory. */
extern const lcai_class lcai_content_class;

/* Pushes the table of the functions of durable files, core.file. */
void lcai_file_open(lua_State *L);

/* The path at `index`: text without NUL, not empty. Raises otherwise. */
const char *lcai_file_path(lua_State *L, int index);

/* Pushes "PATH: cannot STEP: what the system says". */
void lcai_file_push_problem(lua_State *L, const char *path, const cai_problem *problem);

#endif
