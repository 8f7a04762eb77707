/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON files of an image saved as an archive. */
#include "layout_json.h"

#include <jansson.h>

#include "blob_path.h"

/* NULL: it could not be made, for want of memory. */
static int print(struct buf *out, const json_t *document, struct err *err)
{
	AUTO_FREE char *text =
	    document ? json_dumps(document, JSON_COMPACT) : NULL;

	return text ? buf_addstr(out, text, err) : err_nomem(err);
}

/* How docker and containerd call the image; NULL: nobody calls it anything. */
static json_t *full_name(const struct layout_input *input)
{
	return input->tag ? json_sprintf("%s:%s", input->name, input->tag)
			  : NULL;
}

int layout_index_print(struct buf *out, const struct layout_input *input,
    struct err *err)
{
	const struct layout_manifest *top = &input->manifests[0];
	char digest[DIGEST_TEXT_SIZE];
	json_auto_t *index =
	    json_pack("{s:i, s:s, s:[{s:s, s:s, s:I, s:{s:o*, s:s*}}]}",
		"schemaVersion", 2, "mediaType", MEDIA_OCI_INDEX, "manifests",
		"mediaType", top->manifest->media_type, "digest",
		digest_format(&top->digest, digest), "size",
		(json_int_t)top->len, "annotations", "io.containerd.image.name",
		full_name(input), "org.opencontainers.image.ref.name",
		input->tag);

	return print(out, index, err);
}

static json_t *layer_paths(const struct manifest *image)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; i < image->entry_count; i++) {
		char path[BLOB_PATH_SIZE];

		blob_path(&image->entries[i].digest, path);
		if (json_array_append_new(list, json_string(path)) < 0)
			return NULL;
	}
	return steal(&list);
}

int layout_docker_print(struct buf *out, const struct layout_input *input,
    struct err *err)
{
	const struct manifest *image = input->manifests[input->image].manifest;
	char config[BLOB_PATH_SIZE];
	json_auto_t *list = json_pack("[{s:s, s:[o*], s:o}]", "Config",
	    blob_path(&image->config.digest, config), "RepoTags",
	    full_name(input), "Layers", layer_paths(image));

	return print(out, list, err);
}
