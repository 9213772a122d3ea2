/* SPDX-License-Identifier: Apache-2.0 */
/* Processes in hosts with ways of their own: with children, signals, descriptors, threads and forks. */
#include "check.h"

#include "running.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static void exits_with(int status) {
  char script[32];
  snprintf(script, sizeof script, "exit %d", status);
  cai_process *process = run_script(script, "", CAI_NEVER);
  CHECK(ends(process));
  ended_as(process, CAI_PROCESS_EXITED, status);
  cai_process_free(process);
}

/* A host that waits for any child gets none of ours. */
static void it_is_nobodys_child(void) {
  cai_process *process = run_script("sleep 0.2; exit 4", "", CAI_NEVER);
  CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
  CHECK(ends(process));
  ended_as(process, CAI_PROCESS_EXITED, 4);
  CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
  cai_process_free(process);
}

static volatile sig_atomic_t reaped;

/* As nginx does. */
static void reap_all(int number) {
  int before = errno;
  (void)number;
  while (waitpid(-1, NULL, WNOHANG) > 0)
    reaped++;
  errno = before;
}

static void a_host_may_reap_all(void) {
  struct sigaction action = {.sa_handler = reap_all}, before;
  sigaction(SIGCHLD, &action, &before);
  for (int status = 0; status < 20; status++)
    exits_with(status);
  CHECK(reaped == 0);
  sigaction(SIGCHLD, &before, NULL);
}

static void a_host_may_ignore_children(void) {
  signal(SIGCHLD, SIG_IGN);
  exits_with(5);
  signal(SIGCHLD, SIG_DFL);
}

static volatile bool over;

static void *reap_in_thread(void *unused) {
  (void)unused;
  while (!over)
    if (waitpid(-1, NULL, 0) < 0)
      rest(0.0001);
  return NULL;
}

static void a_thread_may_reap_all(void) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, reap_in_thread, NULL) == 0);
  for (int status = 0; status < 20; status++)
    exits_with(status);
  over = true;
  CHECK(pthread_join(thread, NULL) == 0);
}

static void on_signal(int number) {
  (void)number;
}

static void its_signals_are_as_at_the_start(void) {
  sigset_t blocked, before, now;
  struct sigaction handler = {.sa_handler = on_signal};
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigaddset(&blocked, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);
  sigaction(SIGUSR2, &handler, NULL);
  /* Programs have two handlers of glibc's own, before 2.34: not of ours. */
  const char *const argv[] = {"sed", "-nE", "/^Sig(Blk|Ign|Cgt)/{s/0000000180000000/0000000000000000/;p}",
                              "/proc/self/status", NULL};
  int problem;
  cai_process_options options = {.argv = argv, .timeout = CAI_NEVER};
  cai_process *process = cai_process_start(&options, &problem);
  CHECK(process != NULL && ends(process));
  says(process, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n");
  cai_process_free(process);
  pthread_sigmask(SIG_SETMASK, &before, &now);
  CHECK(sigismember(&now, SIGTERM) == 1 && sigismember(&now, SIGHUP) == 0); /* the host's mask was left alone */
  signal(SIGPIPE, SIG_DFL);
  signal(SIGHUP, SIG_DFL);
  signal(SIGCHLD, SIG_DFL);
}

static void it_inherits_no_other_descriptors(void) {
  int low = dup(0), high = fcntl(0, F_DUPFD, 200); /* as nginx has those that it listens on */
  cai_process *process = run_script("for i in /proc/self/fd/*; do [ -e $i ] && printf '%s ' ${i##*/}; done", "x", 5);
  CHECK(ends(process));
  says(process, "0 1 2 ");
  cai_process_free(process);
  close(low);
  close(high);
}

static void its_environment_is_the_hosts_but_for_keys(void) {
  setenv("CONFIDENT_ORG_API_KEY", "secret", 1);
  setenv("CONFIDENT_PROJ_API_KEY", "secret", 1);
  setenv("CONFIDENT_API_KEY", "secret", 1);
  setenv("CONFIDENT_API_KEY_NOT", "shown", 1);
  cai_process *process = run_script("tr '\\0' '\\n' </proc/$$/environ | grep ^CONFIDENT_", "", CAI_NEVER);
  CHECK(ends(process));
  says(process, "CONFIDENT_API_KEY_NOT=shown\n");
  cai_process_free(process);
  CHECK_TEXT(getenv("CONFIDENT_ORG_API_KEY"), "secret");
}

static void it_has_no_terminal_and_a_group_of_its_own(void) {
  cai_process *process = run_script("echo $$; cut -d ' ' -f 5-7 /proc/$$/stat", "", CAI_NEVER);
  char wanted[64];
  CHECK(ends(process));
  long pid = first_number(process);
  snprintf(wanted, sizeof wanted, "%ld\n%ld %ld 0\n", pid, pid, pid); /* group, session, terminal */
  says(process, wanted);
  cai_process_free(process);
}

static bool runs(long pid) {
  return kill((pid_t)pid, 0) == 0;
}

/* In a fork of the host, a process is lost; nothing there touches it. */
static void a_fork_of_the_host_leaves_it_alone(void) {
  cai_process *process = run_script("echo $$; sleep 0.5; exit 6", "", CAI_NEVER);
  long pid = first_number(process);
  pid_t child = fork();
  if (child == 0) {
    int value;
    cai_process_kill(process);
    bool good = cai_process_step(process) && cai_process_status(process, &value) == CAI_PROCESS_LOST;
    cai_process_free(process);
    _exit(good ? 0 : 1);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK(runs(pid) && ends(process));
  ended_as(process, CAI_PROCESS_EXITED, 6);
  cai_process_free(process);
}

/* Starts one in a host of its own, which is then killed. */
static void it_ends_with_the_host(void) {
  int pair[2];
  long pid = 0;
  CHECK(pipe(pair) == 0);
  pid_t host = fork();
  if (host == 0) {
    cai_process *process = run_script("echo $$; sleep 60", "", CAI_NEVER);
    pid = first_number(process);
    CHECK(write(pair[1], &pid, sizeof pid) == (ssize_t)sizeof pid);
    pause();
    cai_process_free(process);
    _exit(0);
  }
  CHECK(read(pair[0], &pid, sizeof pid) == (ssize_t)sizeof pid && runs(pid));
  kill(host, SIGKILL);
  CHECK(waitpid(host, NULL, 0) == host);
  CHECK(goes_away(pid));
  close(pair[0]);
  close(pair[1]);
}

/* A system that cannot tell a program of its watcher's death leaves it running: said in docs/portability.md. */
static void it_ends_with_its_watcher(void) {
  cai_process *process = run_script("echo $PPID $$; exec sleep 60", "", CAI_NEVER);
  long watcher = first_number(process);
  size_t length;
  bool cut;
  long program = strtol(strchr(cai_process_output(process, &length, &cut), ' '), NULL, 10);
  CHECK(kill((pid_t)watcher, SIGTERM) == 0); /* all but SIGKILL pass it by */
  rest(0.05);
  CHECK(!cai_process_step(process));
  CHECK(kill((pid_t)watcher, SIGKILL) == 0);
  CHECK(ends(process));
  ended_as(process, CAI_PROCESS_LOST, 0);
#if !defined(CAI_HAS_PR_SET_PDEATHSIG)
  CHECK(kill((pid_t)program, SIGKILL) == 0);
#endif
  CHECK(goes_away(program));
  cai_process_free(process);
}

/* A daemon, whose pipes then take the numbers of the standard streams. Last: what CHECK says goes nowhere. */
static void a_host_may_have_no_standard_streams(void) {
  int kept[3];
  for (int i = 0; i < 3; i++) {
    kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
    close(i);
  }
  cai_process *process = run_script("cat; cat >&2 </dev/null; exit 8", "input", CAI_NEVER);
  bool ended = ends(process);
  for (int i = 0; i < 3; i++) {
    dup2(kept[i], i);
    close(kept[i]);
  }
  CHECK(ended);
  ended_as(process, CAI_PROCESS_EXITED, 8);
  says(process, "input");
  cai_process_free(process);
}

int main(void) {
  it_is_nobodys_child();
  a_host_may_reap_all();
  a_host_may_ignore_children();
  a_thread_may_reap_all();
  its_signals_are_as_at_the_start();
  it_inherits_no_other_descriptors();
  its_environment_is_the_hosts_but_for_keys();
  it_has_no_terminal_and_a_group_of_its_own();
  a_fork_of_the_host_leaves_it_alone();
  it_ends_with_the_host();
  it_ends_with_its_watcher();
  a_host_may_have_no_standard_streams();
  return check_end();
}
