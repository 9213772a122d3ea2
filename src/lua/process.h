/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_PROCESS_H
#define LCAI_PROCESS_H

#include "class.h"

extern const lcai_class lcai_process_class;

/* Lua: process(argv, options) -> Process, or nil and why it cannot be started. `argv`: an array of the program, a name
 * on PATH or a path, and its arguments; no shell. `options`: input (its standard input), hidden (a variable of the
 * environment that it does not get), timeout (seconds until it is killed); each may be nil. */
int lcai_process_start(lua_State *L);

/* Lua: program(name) -> path of its file, or nil and why it cannot be run. */
int lcai_process_program(lua_State *L);

#endif
