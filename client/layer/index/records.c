/* SPDX-License-Identifier: Apache-2.0 */
/* Records and their checks. */
#include "records.h"

#include <string.h>

/* Odd, so that no two numbers give the same product. */
static const uint64_t FACTOR = 0xd6e8feb86659fd93;

enum { CHECK_SIZE = sizeof(uint32_t), WORD = sizeof(uint64_t) };

/* For each sum, another one for each word. The product's high bits are of all
 * of the word's, and go to where the next product spreads them. */
static uint64_t add_word(uint64_t sum, uint64_t word)
{
	sum ^= word;
	return (sum << 29 | sum >> 35) * FACTOR;
}

/* What is left, less than a word, with its length. */
static uint64_t last_word(const uint8_t *bytes, size_t left)
{
	uint64_t length = (uint64_t)left << 56;
	uint32_t first, last;

	if (left == 0)
		return 0;
	if (left < sizeof(first))
		return length | (uint64_t)bytes[0] << 16 |
		       (uint64_t)bytes[left >> 1] << 8 | bytes[left - 1];
	/* They overlap. */
	memcpy(&first, bytes, sizeof(first));
	memcpy(&last, bytes + left - sizeof(last), sizeof(last));
	return length ^ ((uint64_t)first << 32 | last);
}

/*
 * A record has some ten words, and is looked at to find one name: this takes a
 * few nanoseconds, where the checksums that are made for long files take more.
 * There are two sums, as a product can be computed beside another.
 */
static uint64_t add(uint64_t sum, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint64_t words[2], other = sum ^ FACTOR;

	for (; size >= sizeof(words); size -= sizeof(words)) {
		memcpy(words, bytes, sizeof(words));
		sum = add_word(sum, words[0]);
		other = add_word(other, words[1]);
		bytes += sizeof(words);
	}
	if (size >= WORD) {
		memcpy(words, bytes, WORD);
		sum = add_word(sum, words[0]);
		bytes += WORD;
		size -= WORD;
	}
	other = add_word(other, last_word(bytes, size));
	sum = add_word(sum, other);
	return sum ^ sum >> 32;
}

uint32_t records_sum(uint32_t before, const void *data, size_t size)
{
	return (uint32_t)add(FACTOR ^ before, data, size);
}

uint32_t records_check(const struct records *records, uint64_t number,
    const void *record, const char *text)
{
	uint64_t sum = add_word(FACTOR ^ records->salt, number);

	sum = add(sum, record, records->size - CHECK_SIZE);
	return (uint32_t)(text ? add(sum, text, strlen(text)) : sum);
}

void records_seal(const struct records *records, uint64_t number, void *record,
    const char *text)
{
	uint32_t check = records_check(records, number, record, text);
	uint8_t *end = (uint8_t *)record + records->size;

	memcpy(end - CHECK_SIZE, &check, CHECK_SIZE);
}

const void *records_at(const struct records *records, uint64_t number)
{
	return number < records->count
		   ? mapped_at(records->file,
			 records->at + number * records->size, records->size)
		   : NULL;
}

bool records_is_right(const struct records *records, uint64_t number,
    const void *record, const char *text)
{
	const uint8_t *end = (const uint8_t *)record + records->size;
	uint32_t check;

	memcpy(&check, end - CHECK_SIZE, CHECK_SIZE);
	return check == records_check(records, number, record, text);
}
