/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the header of a zstd frame. */
#include "zstd_header.h"

enum {
	MAGIC = 4,
	DESCRIPTOR = MAGIC,
	BODY, /* its first field */
	SINGLE_SEGMENT = 1 << 5,
};

static bool has_contents(const uint8_t *header)
{
	return header[0] == 0x28 && header[1] == 0xb5 && header[2] == 0x2f &&
	       header[3] == 0xfd;
}

static bool is_single(const uint8_t *header)
{
	return header[DESCRIPTOR] & SINGLE_SEGMENT;
}

/* Where the content's size is: after the window and the dictionary's ID. */
static size_t size_at(const uint8_t *header)
{
	static const uint8_t id_bytes[] = {0, 1, 2, 4};

	return (size_t)BODY + !is_single(header) +
	       id_bytes[header[DESCRIPTOR] & 3];
}

static size_t size_bytes(const uint8_t *header)
{
	static const uint8_t bytes[] = {0, 2, 4, 8};
	size_t n = bytes[header[DESCRIPTOR] >> 6];

	return n == 0 && is_single(header) ? 1 : n;
}

size_t zstd_header_need(const uint8_t *header, size_t len)
{
	if (len < MAGIC)
		return MAGIC;
	if (!has_contents(header))
		return MAGIC;
	return len < BODY ? BODY : size_at(header) + size_bytes(header);
}

static uint64_t window_said(const uint8_t *header)
{
	unsigned exponent = header[BODY] >> 3;
	unsigned mantissa = header[BODY] & 7;

	return (UINT64_C(8) + mantissa) << (exponent + 7);
}

/* UINT64_MAX: it does not say. */
static uint64_t content_size(const uint8_t *header)
{
	const uint8_t *field = header + size_at(header);
	size_t n = size_bytes(header);
	uint64_t size = 0;

	for (size_t i = n; i > 0; i--)
		size = size << 8 | field[i - 1];
	if (n == 0)
		return UINT64_MAX;
	return n == 2 ? size + 256 : size;
}

uint64_t zstd_header_window(const uint8_t *header)
{
	uint64_t size, window;

	if (!has_contents(header))
		return 0;
	size = content_size(header);
	window = is_single(header) ? size : window_said(header);
	return size < window ? size : window;
}
