/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of records in a mapped file. Each record ends in its check, of 32 bits:
 * a sum of the rest of it, of its number, of what the file is about, and maybe
 * of a text that it leads to. So a record that is zeros, that has a wrong bit,
 * or that another file or place has is noticed by the one who reads it.
 */
#ifndef LAYER_RECORDS_H
#define LAYER_RECORDS_H

#include <string.h>

#include "mapped.h"

struct records {
	const struct mapped *file;
	uint64_t at;    /* where in the content the first one is */
	uint64_t count; /* all of which are in the content */
	size_t size;    /* of one, with its check */
	uint32_t salt;  /* what the file is about */
};

/* The check of a record, the number of which says where it is. text is NULL
 * where none belongs to it. */
uint32_t records_check(const struct records *records, uint64_t number,
    const void *record, const char *text);

/* Puts that check into the record. */
void records_seal(const struct records *records, uint64_t number, void *record,
    const char *text);

/* The record of a number, to be copied at once (mapped_at()); NULL where the
 * list has no such number. */
const void *records_at(const struct records *records, uint64_t number);

/* Copies it into *out, of the type of the list's records: false where there is
 * none. It is not compared with its check, which may be of a text, too. */
#define records_copy(records, number, out) \
	records_copied(records_at((records), (number)), (out), sizeof(*(out)))

static inline bool records_copied(const void *record, void *out, size_t size)
{
	if (record)
		memcpy(out, record, size);
	return record != NULL;
}

/* Whether a copy is what was written. */
bool records_is_right(const struct records *records, uint64_t number,
    const void *record, const char *text);

/* A sum of any bytes that begins with another one: to be salt, or the check of
 * something else. */
uint32_t records_sum(uint32_t before, const void *data, size_t size);

#endif
