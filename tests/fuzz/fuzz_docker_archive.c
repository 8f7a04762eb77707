/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest.json of docker-archives: what was parsed is whole. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "oci/layout.h"

static void check_image(const struct docker_archive_image *image)
{
	if (!image->config[0])
		abort();
	for (size_t i = 0; i < image->layer_count; i++)
		if (!image->layers[i][0])
			abort();
	for (size_t i = 0; i < image->name_count; i++) {
		const char *tag = image->names[i].tag;

		if (tag[0] && (!tag_valid(tag, strlen(tag)) ||
				  !strstr(image->names[i].text, tag)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(docker_archive_free_p) struct docker_archive *archive = NULL;
	struct err err = ERR_INIT;

	if (docker_archive_parse(data, size, &archive, &err) < 0) {
		if (archive || !err.code || !err.msg[0])
			abort();
		return 0;
	}
	if (archive->image_count == 0)
		abort();
	for (size_t i = 0; i < archive->image_count; i++)
		check_image(&archive->images[i]);
	return 0;
}
