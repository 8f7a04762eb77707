/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error object: owned by the caller, filled where a failure is found, given
 * context on its way up, printed once where it stops.
 *
 *	if (fd < 0)
 *		return err_sys(err, "open %s", path);
 *	if (blob_open(...) < 0)
 *		return err_wrap(err, "pulling %s", reference);
 *
 * A function that takes one returns 0 or a count on success and -errno on
 * failure, and then has filled the object; on success it leaves it untouched.
 * The object is never NULL.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

struct err {
	int code;      /* errno, positive; 0 while nothing has failed */
	int http;      /* the response's status where there was one, else 0 */
	char msg[512]; /* a sentence for the user, no newline */
};

/* clang-format off */
#define ERR_INIT {0, 0, ""}
/* clang-format on */

/* The object for a call of which only the returned code is read. */
#define ERR_IGNORE (&(struct err)ERR_INIT)

/* Sets code and message. Returns -code. */
int err_set(struct err *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Sets code from errno and ends the message with its text. Returns -errno. */
int err_sys(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* "out of memory". Returns -ENOMEM. */
int err_nomem(struct err *err);

/* Puts "context: " in front of the message. Returns -code. */
int err_wrap(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Copies text to out (of size bytes), control characters as '?', ends it. */
void err_clean(char *out, size_t size, const char *text, size_t len);

#endif
