/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_SIGNALS_H
#define CAI_SIGNALS_H

/* SIGHUP, SIGINT and SIGTERM, noticed rather than obeyed: for the command, which ends in an orderly way. A library in
 * somebody else's process never calls this. */

/* From now on a signal interrupts waits and is remembered; the second one ends the process as ever. Signals that are
 * ignored (nohup) stay so. SIGPIPE is ignored: writing fails instead. */
void cai_signals_watch(void);

/* Has SIGINT be ignored, as it was when the process began: an interpreter may have set a handler meanwhile. */
void cai_signals_ignore_interrupt(void);

/* The name of the signal that has come ("SIGINT"), once; NULL: none. */
const char *cai_signals_take(void);

#endif
