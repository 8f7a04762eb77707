/* SPDX-License-Identifier: Apache-2.0 */
/* The tar walker: any input, fed whole and byte by byte, ends alike. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "tar/walker.h"

struct outcome {
	int64_t result; /* no padding: the struct is compared whole */
	uint64_t entries;
	uint64_t bytes; /* of all bodies */
	uint64_t names; /* their characters, summed */
	uint64_t extents, xattrs;
	uint64_t lack;
};

static uint64_t add(uint64_t sum, uint64_t number)
{
	return sum * 31 + number;
}

/* The contract of their extents, which whoever reads them relies on. */
static void check_extents(const struct tar_entry *entry,
    struct outcome *outcome)
{
	uint64_t end = 0, stored = 0;

	for (size_t i = 0; i < entry->extent_count; i++) {
		struct tar_extent extent = entry->extents[i];

		if (extent.size == 0 || extent.offset < end ||
		    extent.offset > entry->file_size ||
		    extent.size > entry->file_size - extent.offset)
			abort();
		end = extent.offset + extent.size;
		stored += extent.size;
		outcome->extents = add(outcome->extents, extent.offset);
		outcome->extents = add(outcome->extents, extent.size);
	}
	if (entry->is_sparse
		? stored != entry->size
		: entry->extents || entry->file_size != entry->size)
		abort();
}

static void check_xattrs(const struct tar_entry *entry, struct outcome *outcome)
{
	const char *last = "";

	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct tar_xattr *xattr = &entry->xattrs[i];
		const uint8_t *value = xattr->value;

		if (strcmp(last, xattr->name) >= 0)
			abort();
		last = xattr->name;
		for (size_t j = 0; j < xattr->len; j++)
			outcome->xattrs = add(outcome->xattrs, value[j]);
		outcome->xattrs = add(outcome->xattrs, xattr->len);
	}
}

static int count_entry(void *arg, const struct tar_entry *entry,
    struct err *err)
{
	struct outcome *outcome = arg;

	(void)err;
	outcome->entries++;
	for (const char *p = entry->name; *p; p++)
		outcome->names = add(outcome->names, (uint64_t)*p);
	if (strlen(entry->name) > TAR_NAME_MAX ||
	    strlen(entry->link) > TAR_NAME_MAX)
		abort();
	check_extents(entry, outcome);
	check_xattrs(entry, outcome);
	return 0;
}

static int count_data(void *arg, const void *data, size_t len, struct err *err)
{
	struct outcome *outcome = arg;

	(void)data;
	(void)err;
	outcome->bytes += len;
	return 0;
}

static struct outcome walk(const uint8_t *data, size_t size, size_t piece)
{
	struct outcome outcome = {0};
	struct tar_handler handler = {count_entry, count_data, &outcome};
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	struct err err = ERR_INIT;

	if (tar_walker_new(&handler, &walker, &err) < 0)
		abort();
	for (size_t done = 0; outcome.result == 0 && done < size;
	     done += piece) {
		size_t n = size - done < piece ? size - done : piece;

		outcome.result =
		    tar_walker_feed(walker, data + done, n, NULL, &err);
	}
	if (outcome.result >= 0)
		outcome.lack = (uint64_t)tar_walker_lacks(walker);
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole = walk(data, size, size + 1);
	struct outcome bytes = walk(data, size, 1);

	if (memcmp(&whole, &bytes, sizeof(whole)) != 0)
		abort();
	return 0;
}
