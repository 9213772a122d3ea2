/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/core/signals.h"
#include "../../src/core/stream.h"
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define MUCH ((size_t)1 << 20)

static void writable_is_told(void) {
  int ends[2];
  cai_problem problem;
  CHECK(pipe(ends) == 0);
  CHECK(cai_stream_is_writable(ends[1], &problem));
  CHECK(!cai_stream_is_writable(ends[0], &problem) && problem.number == EBADF);
  close(ends[0]);
  close(ends[1]);
  CHECK(!cai_stream_is_writable(ends[1], &problem) && problem.number == EBADF);
  CHECK(!cai_stream_is_writable(-1, &problem));
}

/* Reads slowly at first, so that the writer finds the pipe full. */
static void *drain(void *argument) {
  static char bytes[65536];
  size_t total = 0;
  ssize_t count;
  usleep(20000);
  while ((count = read(*(int *)argument, bytes, sizeof bytes)) > 0)
    total += (size_t)count;
  return (void *)total;
}

/* All of it arrives, in a pipe that blocks and in one that does not. */
static void all_is_written(void) {
  static char bytes[MUCH];
  for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
    int ends[2];
    void *total;
    pthread_t reader;
    cai_problem problem;
    CHECK(pipe(ends) == 0);
    CHECK(fcntl(ends[1], F_SETFL, flags) == 0);
    CHECK(pthread_create(&reader, NULL, drain, &ends[0]) == 0);
    size_t written;
    CHECK(cai_stream_write(ends[1], bytes, sizeof bytes, &written, &problem) && written == MUCH);
    close(ends[1]);
    CHECK(pthread_join(reader, &total) == 0 && (size_t)total == MUCH);
    close(ends[0]);
  }
}

/* Once signals are watched, a reader that has gone is a failure, not the end of the process. */
static void a_reader_that_has_gone_is_a_failure(void) {
  int ends[2];
  cai_problem problem;
  cai_signals_watch();
  CHECK(pipe(ends) == 0);
  close(ends[0]);
  size_t written;
  CHECK(!cai_stream_write(ends[1], "x", 1, &written, &problem) && problem.number == EPIPE);
  close(ends[1]);
}

/* What is opened afterwards takes none of their numbers; what was open stays as it is. */
static void closed_standard_streams_are_filled(void) {
  char byte;
  int saved[3];
  for (int i = 0; i < 3; i++)
    saved[i] = fcntl(i, F_DUPFD, 10);
  close(STDIN_FILENO);
  close(STDOUT_FILENO);
  cai_stream_fill_standard();
  int next = open("/dev/null", O_RDONLY);
  ssize_t written = write(STDOUT_FILENO, "x", 1), got = read(STDIN_FILENO, &byte, 1);
  for (int i = 0; i < 2; i++)
    dup2(saved[i], i);
  CHECK(next > STDERR_FILENO);
  CHECK(written < 0 && got < 0);
  CHECK(write(STDERR_FILENO, "", 0) == 0);
  close(next);
  for (int i = 0; i < 3; i++)
    close(saved[i]);
}

int main(void) {
  writable_is_told();
  all_is_written();
  a_reader_that_has_gone_is_a_failure();
  closed_standard_streams_are_filled();
  return check_end();
}
