/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_SIGPIPE_H
#define CAI_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

/* libcurl runs with CURLOPT_NOSIGNAL here and leaves SIGPIPE, which a TLS write to a closed socket can raise, to its
 * user (https://curl.se/libcurl/c/threadsafe.html). The signal is held back for this thread alone, around what
 * may write to a socket; the host's own handler and mask are as they were when it leaves. */
typedef struct {
  sigset_t before;
  bool pending;
} cai_sigpipe;

void cai_sigpipe_hold(cai_sigpipe *held);
void cai_sigpipe_release(const cai_sigpipe *held);

#endif
