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

void caller_set(const struct caller *caller)
{
	current = *caller;
}
