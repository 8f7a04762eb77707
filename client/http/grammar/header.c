/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a response. */
#include "header.h"

#include <string.h>
#include <strings.h>

#include "base/parse.h"

/* Servers refuse to send more than this, most at a quarter of it; signed urls
 * are the longest of what is used here, a few KiB. */
enum { HEADER_LIMIT = 64 * 1024 };

void header_init(struct header *header)
{
	header->status = 0;
	header->fields = BUF_INIT(HEADER_LIMIT);
}

void header_release(struct header *header)
{
	buf_release(&header->fields);
}

/* "HTTP/1.1 200 OK", "HTTP/2 200" */
static bool parse_status(const char *line, size_t len, int *status)
{
	const char *p = memchr(line, ' ', len);
	int value = 0;

	if (len < 5 || memcmp(line, "HTTP/", 5) != 0 || !p)
		return false;
	for (p++; p < line + len && *p >= '0' && *p <= '9' && value < 100; p++)
		value = value * 10 + (*p - '0');
	*status = value;
	return true;
}

static size_t trim(const char **text, size_t len)
{
	while (len > 0 && ((*text)[0] == ' ' || (*text)[0] == '\t')) {
		++*text;
		len--;
	}
	while (len > 0 && strchr(" \t\r\n", (*text)[len - 1]))
		len--;
	return len;
}

/* Text with its NUL; one inside would end it early, and is no header's. */
static int add_text(struct header *header, const char *text, size_t len,
    struct err *err)
{
	int r = buf_add(&header->fields, text, strnlen(text, len), err);

	return r < 0 ? r : buf_add(&header->fields, "", 1, err);
}

int header_add_line(struct header *header, const char *line, size_t len,
    struct err *err)
{
	const char *colon, *value;
	size_t value_len;
	int r;

	if (parse_status(line, len, &header->status)) {
		buf_reset(&header->fields);
		return 0;
	}
	len = trim(&line, len);
	if (len == 0)
		return 1;
	colon = memchr(line, ':', len);
	if (!colon)
		return 0;
	value = colon + 1;
	value_len = trim(&value, len - (size_t)(value - line));
	r = add_text(header, line, (size_t)(colon - line), err);
	return r < 0 ? r : add_text(header, value, value_len, err);
}

const char *header_get(const struct header *header, const char *name, size_t n)
{
	const char *p = buf_str(&header->fields);
	const char *end = p + header->fields.len;

	while (p < end) {
		const char *value = p + strlen(p) + 1;

		if (strcasecmp(p, name) == 0 && n-- == 0)
			return value;
		p = value + strlen(value) + 1;
	}
	return NULL;
}

int64_t header_length(const struct header *header)
{
	const char *field = header_get(header, "Content-Length", 0);
	uint64_t length;

	/* Framing goes before length, RFC 9112 section 6.3. */
	if (!field || header_get(header, "Transfer-Encoding", 0) ||
	    !parse_u64(&field, INT64_MAX, &length))
		return -1;
	return (int64_t)length;
}
