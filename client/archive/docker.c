/* SPDX-License-Identifier: Apache-2.0 */
/* docker-archives: what manifest.json names. */
#include <errno.h>

#include "choice.h"
#include "draft.h"
#include "read.h"
#include "stream/compression.h"

int docker_read(struct draft *draft, const struct archive_entry *json,
    struct err *err)
{
	const char *data;
	int r = read_file(draft->reader, json, DOCKER_ARCHIVE_MAX_BYTES,
	    &draft->arena, &data, err);

	return r < 0 ? r
		     : docker_archive_parse(data, (size_t)json->size,
			   &draft->docker, err);
}

/* Wherever they lie. */
static int look_for_members(struct draft *draft,
    const struct docker_archive_image *image, struct err *err)
{
	int r = archive_reader_look_for(draft->reader, &image->config, 1, err);

	return r < 0 ? r
		     : archive_reader_look_for(draft->reader, image->layers,
			   image->layer_count, err);
}

int docker_choose(struct draft *draft, const struct docker_archive_image **out,
    struct err *err)
{
	AUTO_FREE struct choice *choices = NULL;
	const struct docker_archive_image *images;
	size_t count, found;
	int r;

	images = draft->docker->images;
	count = draft->docker->image_count;
	choices = calloc(count, sizeof(*choices));
	if (!choices)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++)
		choices[i] = (struct choice){images[i].config, images[i].names,
		    images[i].name_count};
	r = choice_make(choices, count, draft->wanted, &found, err);
	if (r < 0)
		return r;
	*out = &images[found];
	return look_for_members(draft, *out, err);
}

int docker_compressed(const struct draft *draft,
    const struct docker_archive_image *image, struct err *err)
{
	for (size_t i = 0; i < image->layer_count; i++) {
		struct archive_entry entry;
		char head[TAR_BLOCK];
		ssize_t n;

		if (!archive_reader_find(draft->reader, image->layers[i],
			&entry))
			return 1;
		n = read_head(draft->reader, &entry, head, err);
		if (n < 0)
			return (int)n;
		if (compression_sniff(head, (size_t)n) != COMPRESSION_NONE)
			return 1;
	}
	/* Of an image without layers the layout says all. */
	return image->layer_count == 0;
}

int docker_contents(struct draft *draft,
    const struct docker_archive_image *image, struct err *err)
{
	struct archive_layer *layers =
	    arena_array(&draft->arena, image->layer_count, sizeof(*layers));
	struct archive_entry config;
	int r;

	if (!layers)
		return err_nomem(err);
	r = read_find(draft->reader, image->config, &config, err);
	for (size_t i = 0; i < image->layer_count && r == 0; i++)
		r = read_find(draft->reader, image->layers[i], &layers[i].entry,
		    err);
	if (r < 0)
		return r;
	return draft_set_image(draft, &config, layers, image->layer_count, err);
}
