/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/sockets.h"
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_open(int descriptor) {
  return fcntl(descriptor, F_GETFD) >= 0;
}

static int open_one(cai_sockets *sockets) {
  return cai_sockets_open(sockets, AF_INET, SOCK_STREAM, 0);
}

static void each_closes_on_exec_and_is_kept(void) {
  cai_sockets sockets = {NULL, 0, 0};
  int descriptors[100];
  for (int i = 0; i < 100; i++) {
    descriptors[i] = open_one(&sockets);
    CHECK(descriptors[i] >= 0);
    CHECK((fcntl(descriptors[i], F_GETFD) & FD_CLOEXEC) != 0);
  }
  CHECK(sockets.count == 100);
  for (int i = 0; i < 100; i += 2) {
    cai_sockets_close(&sockets, descriptors[i]);
    CHECK(!is_open(descriptors[i]));
  }
  CHECK(sockets.count == 50);
  for (int i = 1; i < 100; i += 2)
    CHECK(is_open(descriptors[i]));
  cai_sockets_close_all(&sockets);
  for (int i = 0; i < 100; i++)
    CHECK(!is_open(descriptors[i]));
  CHECK(sockets.count == 0 && sockets.list == NULL);
  cai_sockets_close_all(&sockets);
}

static void a_stranger_is_closed_and_harms_none(void) {
  cai_sockets sockets = {NULL, 0, 0};
  int own = open_one(&sockets), stranger = socket(AF_INET, SOCK_STREAM, 0);
  cai_sockets_close(&sockets, stranger);
  CHECK(!is_open(stranger) && is_open(own) && sockets.count == 1);
  cai_sockets_close_all(&sockets);
}

/* What a forked child opened in the place of an inherited socket is the child's. */
static void what_a_number_means_by_now_is_looked_at(void) {
  cai_sockets sockets = {NULL, 0, 0};
  int first = open_one(&sockets), second = open_one(&sockets);
  close(first);
  int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  CHECK(file == first);
  close(second);
  cai_sockets_close_all(&sockets);
  CHECK(is_open(file) && !is_open(second) && sockets.count == 0);
  close(file);
}

static void it_can_be_used_again(void) {
  cai_sockets sockets = {NULL, 0, 0};
  for (int i = 0; i < 3; i++) {
    CHECK(open_one(&sockets) >= 0);
    cai_sockets_close_all(&sockets);
  }
}

static void without_descriptors_nothing_is_kept(void) {
  cai_sockets sockets = {NULL, 0, 0};
  struct rlimit before, none;
  CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
  none = before;
  none.rlim_cur = 3;
  CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
  int descriptor = open_one(&sockets);
  CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(descriptor == -1 && sockets.count == 0);
  CHECK(cai_sockets_open(&sockets, -1, SOCK_STREAM, 0) == -1 && sockets.count == 0);
  cai_sockets_close_all(&sockets);
}

int main(void) {
  each_closes_on_exec_and_is_kept();
  a_stranger_is_closed_and_harms_none();
  what_a_number_means_by_now_is_looked_at();
  it_can_be_used_again();
  without_descriptors_nothing_is_kept();
  return check_end();
}
