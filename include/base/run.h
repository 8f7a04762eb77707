/* SPDX-License-Identifier: Apache-2.0 */
/* Running a program for its output. */
#ifndef BASE_RUN_H
#define BASE_RUN_H

#include <stdbool.h>

#include "buf.h"
#include "err.h"

/* How a program is run. */
struct run {
	const char *const *argv;
	/* "NAME=value", beside what this process has; NULL-ended, or NULL. */
	const char *const *environment;
	const char *input;
	unsigned seconds;
	/* Standard error is part of the output, which is cut at out's limit,
	 * and the program goes on. */
	bool all_output;
};

/*
 * Runs argv[0], found by PATH and without a shell, in its own process group;
 * `input` is its standard input, its output is appended to out, standard error
 * goes nowhere. At most `seconds`, then it is killed, as when the calling
 * task is interrupted or out's limit is passed.
 *
 * The wait status (sys/wait.h), or -errno: -ENOENT no such program, -ETIMEDOUT,
 * -EINTR, -EFBIG.
 */
int run(const char *const *argv, const char *input, unsigned seconds,
    struct buf *out, struct err *err);
int run_program(const struct run *run, struct buf *out, struct err *err);

#endif
