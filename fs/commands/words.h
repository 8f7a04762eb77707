/* SPDX-License-Identifier: Apache-2.0 */
/* What follows a command's name. */
#ifndef FS_COMMANDS_WORDS_H
#define FS_COMMANDS_WORDS_H

#include <stdbool.h>

#include "base/err.h"

/* Strings are those of argv. */
struct command_words {
	const char *operand;  /* NULL: none, where one may be left out */
	const char *username; /* NULL: ask */
	const char *authfile; /* NULL: the usual ones */
	bool password_stdin;
	bool insecure;
	bool watch;
	bool help;
};

/* The commands: 0 after they have printed what was done, or -errno. */
int login_run(const struct command_words *words, struct err *err);
int logout_run(const struct command_words *words, struct err *err);
int status_run(const struct command_words *words, struct err *err);

#endif
