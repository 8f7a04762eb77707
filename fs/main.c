/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registryfs: the command. It leaves for the background only when the mount
 * answers, so that what a script does next finds it there, and so that whatever
 * goes wrong before is said on the terminal and in the exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "commands/commands.h"
#include "config/proxies.h"
#include "kernel/mountpoint.h"
#include "mount_options.h"
#include "options.h"
#include "session.h"

enum { PAGE_MAX = 64 << 10 };

/* The process in front, which waits to hear that the mount answers. */
struct front {
	int pipe; /* -1: there is none, the program stays */
};

static void say(const struct err *err)
{
	fprintf(stderr, "registryfs: %s\n", err->msg);
}

/* The mount answers: leave the terminal and let the front go. */
static void mount_answers(void *arg)
{
	struct front *front = arg;
	int null;

	if (front->pipe < 0)
		return;
	log_to_syslog("registryfs");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(null);
	}
	if (write(front->pipe, "", 1) != 1)
		log_warn(
		    "cannot tell the parent process that the mount is ready");
	close(front->pipe);
	front->pipe = -1;
}

static int run(const struct options *options, struct front *front)
{
	struct err err = ERR_INIT;

	if (session_run(options, mount_answers, front, &err) < 0) {
		say(&err);
		return 1;
	}
	return 0;
}

static int run_behind(const struct options *options)
{
	struct front front = {-1};
	int ends[2], status = 0;
	char byte;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0 || (child = fork()) < 0) {
		perror("registryfs");
		return 1;
	}
	if (child == 0) {
		close(ends[0]);
		front.pipe = ends[1];
		setsid();
		/* So that the directory it was started in can be unmounted. */
		if (chdir("/") < 0)
			perror("registryfs");
		return run(options, &front);
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) == 1)
		return 0;
	waitpid(child, &status, 0);
	return 1;
}

/* One word is a mount point. */
static void hint_at_source(const struct options *options)
{
	const char *word = options->mountpoint;

	if (options->source_count == 0 && access(word, F_OK) < 0)
		fprintf(stderr,
		    "registryfs: to mount a registry of that name, type "
		    "registryfs %s MOUNTPOINT\n",
		    word);
}

static int mount_registry(struct options *options)
{
	struct front front = {-1};
	AUTO_FREE char *mountpoint = NULL;
	struct err err = ERR_INIT;

	if (options->debug && log_debug_topics(options->debug, &err) < 0) {
		say(&err);
		return 1;
	}
	if (mountpoint_check(options->mountpoint, &err) < 0) {
		say(&err);
		hint_at_source(options);
		return 1;
	}
	mountpoint = realpath(options->mountpoint, NULL);
	if (!mountpoint) {
		perror("registryfs");
		return 1;
	}
	options->mountpoint = mountpoint;
	if (options_resolve(options, &err) < 0) {
		say(&err);
		return 1;
	}
	proxies_use();
	return options->foreground ? run(options, &front) : run_behind(options);
}

static int print(int (*page)(struct buf *out, struct err *err))
{
	AUTO_BUF struct buf text = BUF_INIT(PAGE_MAX);
	struct err err = ERR_INIT;

	if (page(&text, &err) < 0) {
		say(&err);
		return 1;
	}
	return fputs(buf_str(&text), stdout) < 0 || fflush(stdout) < 0;
}

int main(int argc, char **argv)
{
	CLEANUP(options_release) struct options options = {.cache = NULL};
	const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;
	struct err err = ERR_INIT;

	if (command)
		return command_run(command, argc - 1, argv + 1);
	if (options_parse(&options, argc, argv, &err) < 0) {
		say(&err);
		return 1;
	}
	switch (options.action) {
	case OPTIONS_HELP:
		return print(options_help);
	case OPTIONS_LIST:
		return print(mount_options_list);
	case OPTIONS_LIST_COMMANDS:
		return print(commands_list);
	case OPTIONS_VERSION:
		puts("registryfs " REGISTRYFS_VERSION);
		return 0;
	case OPTIONS_MOUNT:
		break;
	}
	return mount_registry(&options);
}
