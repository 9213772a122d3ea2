/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_MESSAGE_H
#define CAI_MESSAGE_H

#include "call.h"

/* Copies a text of any length into a message, cut where it does not fit. */
void cai_message_set(char message[CAI_MESSAGE_SIZE], const char *text);

/* Hides, in text that came with a call's answer, the secrets that it may hold: the credential that the call was sent
 * with and its client's own (none where `call` is NULL), as cai_redact does, and makes it one clean line
 * (cai_display_clean). */
void cai_message_redact(char *text, const cai_call *call);

/* Writes why a call failed and, where one is known, the remedy. `code` is that of its last transfer. No secret is in
 * it. */
void cai_message_write(char message[CAI_MESSAGE_SIZE], const cai_call *call, CURLcode code);

#endif
