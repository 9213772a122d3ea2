/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_TERMINAL_H
#define CAI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* The columns of the terminal behind a descriptor; 0: it does not know; -1: there is no terminal. */
int cai_terminal_columns(int descriptor);

/* Asks for a line at the controlling terminal without showing it, as readpassphrase(3) does. A signal that ends or
 * stops the process has the echo be restored first; after a stop the question is asked again. The handlers that were
 * set before run when the echo is back. Writes the line, without its end, to `line`, cut at `size`, and sets `length`;
 * the caller wipes it. False: there is no terminal, or a signal or the end of input came first. For the command only:
 * signals are handled meanwhile. */
bool cai_terminal_ask_hidden(const char *question, char *line, size_t size, size_t *length);

#endif
