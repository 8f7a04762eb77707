/* SPDX-License-Identifier: Apache-2.0 */
/* Base64. */
#include "base/base64.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Decodes len characters into out; false where one is not of the alphabet. */
static bool decode(const char *text, size_t len, char *out)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < len; i++) {
		const char *found = memchr(alphabet, text[i], 64);

		if (!found)
			return false;
		bits = bits << 6 | (uint32_t)(found - alphabet);
		if (i % 4 != 0)
			*out++ = (char)(bits >> (6 - 2 * (i % 4)));
	}
	*out = '\0';
	/* One character of four is less than a byte. */
	return len % 4 != 1;
}

/* How many of the characters are the data, and not its padding. */
static size_t data_len(const char *text, size_t len)
{
	size_t data = len;

	if (len % 4 == 0)
		while (data > 0 && len - data < 2 && text[data - 1] == '=')
			data--;
	return data;
}

int base64_decode(const char *text, size_t len, char **out, size_t *out_len,
    struct err *err)
{
	size_t data = data_len(text, len);

	*out_len = data / 4 * 3 + data % 4 * 3 / 4;
	*out = malloc(*out_len + 1);
	if (!*out)
		return err_nomem(err);
	if (decode(text, data, *out))
		return 0;
	free(*out);
	*out = NULL;
	return err_set(err, EINVAL, "not base64");
}

char *base64_encode(const char *prefix, const char *data, size_t len)
{
	size_t before = strlen(prefix);
	char *out = malloc(before + (len + 2) / 3 * 4 + 1);
	char *p;

	if (!out)
		return NULL;
	p = (char *)memcpy(out, prefix, before) + before;
	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = 0;

		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 |
			       (i + j < len ? (unsigned char)data[i + j] : 0);
		*p++ = alphabet[bits >> 18 & 63];
		*p++ = alphabet[bits >> 12 & 63];
		*p++ = i + 1 < len ? alphabet[bits >> 6 & 63] : '=';
		*p++ = i + 2 < len ? alphabet[bits & 63] : '=';
	}
	*p = '\0';
	return out;
}
