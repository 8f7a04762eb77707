/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a program. Its end is its exit, not the end of its output: a helper
 * may leave an agent behind that keeps the pipe open.
 */
#include "base/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/task.h"

extern char **environ;

struct child {
	pid_t pid;
	int pidfd;  /* readable when it has ended */
	int output; /* our end of the pipe, non-blocking */
	int wake;   /* readable when the task is interrupted */
	bool cut;   /* what is more than the output's limit is left out */
};

static void attributes_release(posix_spawnattr_t *attributes)
{
	posix_spawnattr_destroy(attributes);
}

static void actions_release(posix_spawn_file_actions_t *actions)
{
	posix_spawn_file_actions_destroy(actions);
}

/* A file and not a pipe: nobody has to feed it, and nothing can break it. */
static int open_input(const char *text, struct err *err)
{
	AUTO_FD int fd = memfd_create("input", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(err, "cannot make a file in memory");
	r = file_pwrite(fd, text, strlen(text), 0, err);
	return r < 0 ? r : steal_fd(&fd);
}

/* No signal that is blocked or ignored here is so in the program. */
static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setpgroup(attributes, 0);
	return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
							POSIX_SPAWN_SETSIGDEF |
							POSIX_SPAWN_SETPGROUP);
}

/* What the program has for its environment: an array of our own, to be freed,
 * of strings that are not; NULL when out of memory. */
static char **make_environment(const char *const *more)
{
	size_t count = 0, added = 0;
	char **made;

	while (environ[count])
		count++;
	while (more && more[added])
		added++;
	made = calloc(count + added + 1, sizeof(*made));
	if (!made)
		return NULL;
	/* The first of a name counts. */
	for (size_t i = 0; i < added; i++)
		made[i] = (char *)(uintptr_t)more[i];
	memcpy(made + added, environ, count * sizeof(*made));
	return made;
}

static int spawn(const struct run *run, int input, int output, pid_t *pid)
{
	AUTO_FREE char **environment = make_environment(run->environment);
	CLEANUP(actions_release) posix_spawn_file_actions_t actions;
	CLEANUP(attributes_release) posix_spawnattr_t attributes;
	/* The array and its strings are only read. */
	char *const *args = (char *const *)(uintptr_t)run->argv;
	int r;

	if (!environment)
		return ENOMEM;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	r = posix_spawn_file_actions_adddup2(&actions, input, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, output, 1);
	if (r == 0 && run->all_output)
		r = posix_spawn_file_actions_adddup2(&actions, output, 2);
	else if (r == 0)
		r = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null",
		    O_WRONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	if (r == 0)
		r = set_signals(&attributes);
	if (r == 0)
		r = posix_spawnp(pid, run->argv[0], &actions, &attributes, args,
		    environment);
	return r;
}

static int start(struct child *child, const struct run *run, struct err *err)
{
	const char *const *argv = run->argv;
	AUTO_FD int in = open_input(run->input, err);
	AUTO_FD int out = -1;
	int pipe_fds[2];
	int r;

	if (in < 0)
		return in;
	child->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (child->wake < 0 || pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(err, "cannot run %s", argv[0]);
	child->output = pipe_fds[0];
	out = pipe_fds[1];
	fcntl(child->output, F_SETFL, O_NONBLOCK);
	r = spawn(run, in, out, &child->pid);
	if (r == ENOENT)
		return err_set(err, ENOENT, "the program %s does not exist",
		    argv[0]);
	if (r != 0) {
		errno = r;
		return err_sys(err, "cannot run %s", argv[0]);
	}
	child->pidfd = pidfd_open(child->pid, 0);
	if (child->pidfd < 0)
		return err_sys(err, "cannot watch %s", argv[0]);
	return 0;
}

static void child_release(struct child *child)
{
	if (child->pid > 0) {
		/* Not reaped yet, so the number is still ours. */
		kill(-child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
	}
	cleanup_fd(&child->pidfd);
	cleanup_fd(&child->output);
	cleanup_fd(&child->wake);
}

static int add_output(const struct child *child, struct buf *out,
    const char *data, size_t len, struct err *err)
{
	struct err full = ERR_INIT;
	int r = buf_add(out, data, len, &full);

	if (r == -EFBIG && child->cut)
		return 0;
	if (r < 0)
		*err = full;
	return r;
}

/* Takes what the pipe holds. 1 there may come more, 0 its end. */
static int drain(struct child *child, struct buf *out, struct err *err)
{
	char chunk[4096];
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = read(child->output, chunk, sizeof(chunk))) > 0)
		r = add_output(child, out, chunk, (size_t)n, err);
	explicit_bzero(chunk, sizeof(chunk));
	if (r < 0 || n == 0)
		return r;
	if (errno == EAGAIN || errno == EINTR)
		return 1;
	return err_sys(err, "read");
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)1000 + now.tv_nsec / 1000000;
}

static int watch(struct child *child, unsigned seconds, struct buf *out,
    struct err *err)
{
	int64_t deadline = now_ms() + seconds * (int64_t)1000;
	struct pollfd fds[] = {
	    {child->output, POLLIN, 0},
	    {child->pidfd, POLLIN, 0},
	    {child->wake, POLLIN, 0},
	};

	for (;;) {
		int64_t left = deadline - now_ms();
		int n = poll(fds, 3, left > 0 ? (int)left : 0);

		if (n < 0 && errno != EINTR)
			return err_sys(err, "poll");
		if (task_interrupted())
			return err_set(err, EINTR, "interrupted");
		if (n == 0)
			return err_set(err, ETIMEDOUT,
			    "no answer within %u seconds", seconds);
		if (n > 0 && fds[0].revents) {
			int r = drain(child, out, err);

			if (r < 0)
				return r;
			if (r == 0)
				fds[0].fd = -1;
		}
		if (n > 0 && fds[1].revents)
			return 0;
	}
}

static void wake(void *arg)
{
	struct child *child = arg;

	eventfd_write(child->wake, 1);
}

int run_program(const struct run *run, struct buf *out, struct err *err)
{
	CLEANUP(child_release)
	struct child child = {-1, -1, -1, -1, run->all_output};
	int status;
	int r = start(&child, run, err);

	if (r < 0)
		return r;
	task_block(wake, &child);
	r = watch(&child, run->seconds, out, err);
	task_unblock();
	if (r == 0)
		r = drain(&child, out, err);
	if (r < 0)
		return r;
	if (waitpid(child.pid, &status, 0) < 0)
		return err_sys(err, "cannot wait for %s", run->argv[0]);
	child.pid = -1;
	return status;
}

int run(const char *const *argv, const char *input, unsigned seconds,
    struct buf *out, struct err *err)
{
	const struct run how = {.argv = argv,
	    .input = input,
	    .seconds = seconds};

	return run_program(&how, out, err);
}
