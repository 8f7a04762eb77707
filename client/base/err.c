/* SPDX-License-Identifier: Apache-2.0 */
/* The error object. */
#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list args;

	assert(code > 0);
	err->code = code;
	err->http = 0;
	va_start(args, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, args);
	va_end(args);
	return -code;
}

int err_sys(struct err *err, const char *fmt, ...)
{
	int code = errno ? errno : EIO;
	char text[128];
	va_list args;
	size_t len;

	err->code = code;
	err->http = 0;
	va_start(args, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, args);
	va_end(args);
	len = strlen(err->msg);
	snprintf(err->msg + len, sizeof(err->msg) - len, ": %s",
	    strerror_r(code, text, sizeof(text)));
	return -code;
}

int err_nomem(struct err *err)
{
	return err_set(err, ENOMEM, "out of memory");
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char inner[sizeof(err->msg)];
	va_list args;
	size_t len;

	assert(err->code > 0);
	memcpy(inner, err->msg, sizeof(inner));
	va_start(args, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, args);
	va_end(args);
	len = strlen(err->msg);
	snprintf(err->msg + len, sizeof(err->msg) - len, ": %s", inner);
	return -err->code;
}

void err_clean(char *out, size_t size, const char *text, size_t len)
{
	size_t n = 0;

	assert(size > 0);
	for (size_t i = 0; i < len && n + 1 < size; i++) {
		unsigned char c = (unsigned char)text[i];

		out[n++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	out[n] = '\0';
}
