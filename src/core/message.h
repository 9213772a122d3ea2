/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_MESSAGE_H
#define CAI_MESSAGE_H

#include "call.h"

/* Copies a text of any length into a message, cut where it does not fit. */
void cai_message_set(char message[CAI_MESSAGE_SIZE], const char *text);

/* Writes into call->message why it failed and, where one is known, the remedy. `code` is libcurl's result of the last
 * attempt. No secret is in it. */
void cai_message_write(cai_call *call, CURLcode code);

#endif
