/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks. */
#include "caller.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"

static _Thread_local struct caller current;

struct caller caller_now(void)
{
	return current;
}

bool caller_is_of(pid_t thread)
{
	char path[64];

	if (thread == current.pid)
		return true;
	/* A process lists its threads, under the number of any of them. */
	snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)current.pid,
	    (int)thread);
	return access(path, F_OK) == 0;
}

pid_t caller_process(void)
{
	static const char field[] = "\nTgid:\t";
	char path[64], status[512];
	AUTO_FD int fd = -1;
	const char *found;
	uint64_t pid = 0;
	ssize_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)current.pid);
	if (current.pid > 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, status, sizeof(status) - 1);
	status[n > 0 ? n : 0] = '\0';
	found = strstr(status, field);
	if (found) {
		found += sizeof(field) - 1;
		parse_u64(&found, INT_MAX, &pid);
	}
	return (pid_t)pid;
}

bool caller_has_ended(pid_t thread)
{
	return thread && kill(thread, 0) < 0 && errno == ESRCH;
}

enum { PROGRAM_SIZE = 32 };

/* "" if it cannot be known. */
static void read_program(char out[PROGRAM_SIZE])
{
	char path[64];
	AUTO_FD int fd = -1;
	ssize_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)current.pid);
	if (current.pid > 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, out, PROGRAM_SIZE - 1);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

bool caller_is_program(const char *const *names, size_t count)
{
	char program[PROGRAM_SIZE];

	read_program(program);
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], program) == 0)
			return true;
	return false;
}

bool caller_is_cp(void)
{
	static const char *const programs[] = {"cp", "gcp", "busybox"};

	return caller_is_program(programs,
	    sizeof(programs) / sizeof(*programs));
}

bool caller_is_rsync(void)
{
	static const char *const programs[] = {"rsync"};

	return caller_is_program(programs, 1);
}

/* The command line, whose arguments are ended by NULs, as much as there is room
 * for; its length. */
static size_t read_arguments(char *out, size_t size)
{
	char path[64];
	AUTO_FD int fd = -1;
	size_t len = 0;
	ssize_t n = 1;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)current.pid);
	if (current.pid > 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n > 0 && len < size - 1) {
		n = read(fd, out + len, size - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	out[len] = '\0';
	return len;
}

static bool any_argument(const char *text, size_t len)
{
	char arguments[4096];
	size_t size = read_arguments(arguments, sizeof(arguments));

	for (const char *at = arguments; at < arguments + size;
	     at += strlen(at) + 1)
		if (at > arguments && strncmp(at, text, len) == 0)
			return true;
	return false;
}

bool caller_has_argument(const char *begin)
{
	return any_argument(begin, strlen(begin));
}

bool caller_is_given(const char *argument)
{
	return any_argument(argument, strlen(argument) + 1);
}

void caller_set(const struct caller *caller)
{
	current = *caller;
}
