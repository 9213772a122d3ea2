/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_STREAM_H
#define CAI_STREAM_H

#include "problem.h"

#include <stdbool.h>
#include <stddef.h>

/* Descriptors that the process was given by whoever started it. For the command only. */

/* Opens those of standard input, output and error that are closed, so that no socket takes their place and gets what is
 * meant for them: reading fails, and so does writing. */
void cai_stream_fill_standard(void);

/* Whether a descriptor is open for writing. */
bool cai_stream_is_writable(int descriptor, cai_problem *problem);

/* Writes all bytes, waiting where it must, also for a descriptor that does not block. False: `written` of them have
 * been written; with EINTR a signal came, and the caller decides whether to continue. */
bool cai_stream_write(int descriptor, const char *bytes, size_t length, size_t *written, cai_problem *problem);

#endif
