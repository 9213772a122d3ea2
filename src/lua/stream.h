/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCAI_STREAM_H
#define LCAI_STREAM_H

#include "compat.h"

/* Pushes the table of functions for descriptors, `confidentai.core.stream`. */
void lcai_stream_open(lua_State *L);

#endif
