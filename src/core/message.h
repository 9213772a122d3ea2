/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_MESSAGE_H
#define CAI_MESSAGE_H

#include "transfer.h"

/* Copies a text of any length into a message, cut where it does not fit. */
void cai_message_set(char message[CAI_MESSAGE_SIZE], const char *text);

/* Writes why a client's call failed and, where one is known, the remedy. `code` and `status` are those of its last
 * transfer. No secret is in it. */
void cai_message_write(char message[CAI_MESSAGE_SIZE], const cai_client *client, const cai_transfer *transfer,
                       CURLcode code, long status);

#endif
