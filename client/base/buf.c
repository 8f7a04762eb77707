/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded buffer. */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

int buf_reserve(struct buf *buf, size_t more, struct err *err)
{
	size_t cap = buf->cap ? buf->cap : FIRST_CAPACITY;
	char *data;

	if (more > buf->limit || buf->len > buf->limit - more)
		return err_set(err, EFBIG, "more than %zu bytes", buf->limit);
	while (cap < buf->len + more + 1)
		cap *= 2;
	if (cap == buf->cap)
		return 0;
	data = realloc(buf->data, cap);
	if (!data)
		return err_nomem(err);
	buf->data = data;
	buf->cap = cap;
	buf->data[buf->len] = '\0';
	return 0;
}

int buf_add(struct buf *buf, const void *data, size_t len, struct err *err)
{
	int r = buf_reserve(buf, len, err);

	if (r < 0)
		return r;
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

int buf_addstr(struct buf *buf, const char *text, struct err *err)
{
	return buf_add(buf, text, strlen(text), err);
}

int buf_addf(struct buf *buf, struct err *err, const char *fmt, ...)
{
	va_list args;
	int len, r;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		return err_set(err, EINVAL, "cannot format text");
	r = buf_reserve(buf, (size_t)len, err);
	if (r < 0)
		return r;
	va_start(args, fmt);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, args);
	va_end(args);
	buf->len += (size_t)len;
	return 0;
}

const char *buf_str(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

void buf_release(struct buf *buf)
{
	free(buf->data);
	*buf = BUF_INIT(buf->limit);
}

char *buf_steal(struct buf *buf)
{
	char *data = buf->data ? buf->data : calloc(1, 1);

	*buf = BUF_INIT(buf->limit);
	return data;
}
