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
};

static int count_entry(void *arg, const struct tar_entry *entry,
    struct err *err)
{
	struct outcome *outcome = arg;

	(void)err;
	outcome->entries++;
	for (const char *p = entry->name; *p; p++)
		outcome->names = outcome->names * 31 + (uint64_t)*p;
	if (strlen(entry->name) > TAR_NAME_MAX ||
	    strlen(entry->link) > TAR_NAME_MAX)
		abort();
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
