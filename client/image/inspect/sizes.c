/* SPDX-License-Identifier: Apache-2.0 */
/* How large the layers of an image are. */
#include "sizes.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "image/inspect.h"
#include "image/trees.h"

static uint64_t add_up(const struct layer_index *index)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < layer_index_count(index); i++) {
		struct layer_entry entry;

		if (layer_index_entry(index, i, &entry, ERR_IGNORE) < 0)
			return SIZE_UNKNOWN;
		/* A hard link has the file's entry for its own. */
		if (S_ISREG(entry.mode) && entry.link == i)
			sum += entry.size;
	}
	return sum;
}

uint64_t image_layer_unpacked(struct image *image, size_t number)
{
	CLEANUP(layer_put_p) struct layer *layer = NULL;
	const struct layer_index *index = NULL;

	if (image_layer(image, number, &layer, ERR_IGNORE) == 0)
		index = layer_index_known(layer);
	return index ? add_up(index) : SIZE_UNKNOWN;
}

struct image_sizes image_sizes(struct image *image)
{
	const struct manifest *manifest = image->manifest;
	struct image_sizes sizes = {0, 0};

	for (size_t i = 0; i < manifest->entry_count; i++) {
		uint64_t unpacked = image_layer_unpacked(image, i);

		sizes.layers += manifest->entries[i].size;
		if (unpacked == SIZE_UNKNOWN)
			sizes.unpacked = SIZE_UNKNOWN;
		if (sizes.unpacked != SIZE_UNKNOWN)
			sizes.unpacked += unpacked;
	}
	return sizes;
}

void size_format(uint64_t bytes, char out[SIZE_TEXT_SIZE])
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes / 1000;
	size_t unit = 0;

	if (bytes == SIZE_UNKNOWN) {
		snprintf(out, SIZE_TEXT_SIZE, "~");
		return;
	}
	if (bytes < 1000) {
		snprintf(out, SIZE_TEXT_SIZE, "%" PRIu64 "B", bytes);
		return;
	}
	/* What rounds to four digits has the next unit. */
	for (; value >= 999.5; value /= 1000)
		unit++;
	snprintf(out, SIZE_TEXT_SIZE, "%.3g%s", value, units[unit]);
}
