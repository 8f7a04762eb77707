/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests over the files of tests/cases/<parser>/: each is good, and its name
 * begins with "good-", or it is in a table of refusals with the reason for
 * which it has to be refused.
 */
#ifndef TESTS_CASES_H
#define TESTS_CASES_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"

struct refusal {
	const char *name; /* of the file */
	int code;         /* the errno */
	const char *says; /* a part of the message */
};

/* Appends the content of a case. */
void case_read(const char *parser, const char *name, struct buf *out);

/* `refusals` ends with one without a name; each has to have its file. */
void cases_check(const char *parser,
    int (*parse)(const void *data, size_t len, struct err *err),
    const struct refusal *refusals);

#endif
