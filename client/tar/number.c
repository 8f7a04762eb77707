/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in tar headers. */
#include "number.h"

static bool is_padding(uint8_t c)
{
	return c == ' ' || c == '\0';
}

bool tar_octal_parse(const uint8_t *field, size_t len, int64_t *out)
{
	uint64_t value = 0;

	while (len > 0 && is_padding(field[0]))
		field++, len--;
	while (len > 0 && is_padding(field[len - 1]))
		len--;
	/* What follows a NUL is rubbish that some writers leave behind. */
	for (size_t i = 0; i < len && field[i] != '\0'; i++) {
		if (field[i] < '0' || field[i] > '7' || value >> 60)
			return false;
		value = value << 3 | (uint64_t)(field[i] - '0');
	}
	*out = (int64_t)value;
	return true;
}

static bool parse_base256(const uint8_t *field, size_t len, int64_t *out)
{
	uint8_t invert = field[0] & 0x40 ? 0xff : 0;
	uint64_t value = 0;

	/* A negative number is read as its complement, so that one check of
	 * the upper bits finds an overflow in either direction. */
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = field[i] ^ invert;

		if (i == 0)
			byte &= 0x7f;
		if (value >> 55)
			return false;
		value = value << 8 | byte;
	}
	*out = invert ? -(int64_t)value - 1 : (int64_t)value;
	return true;
}

bool tar_number_parse(const uint8_t *field, size_t len, int64_t *out)
{
	if (len > 0 && field[0] & 0x80)
		return parse_base256(field, len, out);
	return tar_octal_parse(field, len, out);
}

bool tar_octal_print(uint8_t *field, size_t len, uint64_t value)
{
	field[len - 1] = '\0';
	for (size_t i = len - 1; i > 0; i--) {
		field[i - 1] = (uint8_t)('0' + (value & 7));
		value >>= 3;
	}
	return value == 0;
}
