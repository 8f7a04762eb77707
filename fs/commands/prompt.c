/* SPDX-License-Identifier: Apache-2.0 */
/* Questions on the terminal. */
#include "prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "creds/secret.h"

#define TERMINAL "/dev/tty"

enum { LINE_SIZE = 4096 }; /* more than a terminal's line has */

static volatile sig_atomic_t caught;

static void catch_signal(int number)
{
	caught = number;
}

/* What ends a program at its terminal: read() ends instead, so that the echo
 * can be switched on again. */
static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

enum { ENDINGS = sizeof(endings) / sizeof(endings[0]) };

static void catch_all(struct sigaction before[ENDINGS])
{
	struct sigaction action = {.sa_handler = catch_signal};

	caught = 0;
	for (size_t i = 0; i < ENDINGS; i++) {
		sigaction(endings[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(endings[i], &action, NULL);
	}
}

static void release_all(const struct sigaction before[ENDINGS])
{
	for (size_t i = 0; i < ENDINGS; i++)
		sigaction(endings[i], &before[i], NULL);
}

/* The line's length without its end, or -errno. */
static ssize_t read_line(int terminal, const char *question, char *line,
    struct err *err)
{
	ssize_t n;

	dprintf(terminal, "%s", question);
	n = read(terminal, line, LINE_SIZE - 1);
	if (n < 0)
		return err_sys(err, "%s", TERMINAL);
	line[n] = '\0';
	if (n == 0 || line[n - 1] != '\n')
		return err_set(err, EINVAL, "nothing was typed");
	line[n - 1] = '\0';
	return n - 1;
}

/* The question comes when the echo is off: nobody types before it. */
static ssize_t read_without_echo(int terminal, const char *question, char *line,
    struct err *err)
{
	struct termios with, without;
	ssize_t n;

	if (tcgetattr(terminal, &with) < 0)
		return err_sys(err, "%s", TERMINAL);
	without = with;
	without.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	if (tcsetattr(terminal, TCSAFLUSH, &without) < 0)
		return err_sys(err, "%s", TERMINAL);
	n = read_line(terminal, question, line, err);
	tcsetattr(terminal, TCSAFLUSH, &with);
	/* The end of the line was not shown either. */
	dprintf(terminal, "\n");
	return n;
}

int prompt_ask(const char *question, bool secret, char **out, struct err *err)
{
	struct sigaction before[ENDINGS];
	char line[LINE_SIZE];
	AUTO_FD int terminal = open(TERMINAL, O_RDWR | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	*out = NULL;
	if (terminal < 0)
		return err_set(err, ENOTTY, "there is no terminal to ask on");
	catch_all(before);
	n = secret ? read_without_echo(terminal, question, line, err)
		   : read_line(terminal, question, line, err);
	release_all(before);
	if (caught)
		raise(caught);
	if (n >= 0)
		*out = strdup(line);
	explicit_bzero(line, sizeof(line));
	if (n < 0)
		return (int)n;
	return *out ? 0 : err_nomem(err);
}
