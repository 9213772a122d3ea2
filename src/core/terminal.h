/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_TERMINAL_H
#define CAI_TERMINAL_H

/* The columns of the terminal behind a descriptor; 0: it does not know; -1: there is no terminal. */
int cai_terminal_columns(int descriptor);

#endif
