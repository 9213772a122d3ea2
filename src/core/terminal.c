/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

int cai_terminal_columns(int descriptor) {
  struct winsize size;
  if (!isatty(descriptor))
    return -1;
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
