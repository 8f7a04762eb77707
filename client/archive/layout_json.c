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

/*
 * docker save writes three forms of a name: in full for containerd, as docker
 * shows it for docker, and the tag alone. Each is NULL where there is no name.
 */
struct reference_texts {
	const char *full, *familiar, *tag;
	char full_text[REFERENCE_TEXT_SIZE];
	char familiar_text[REFERENCE_TEXT_SIZE];
};

static void names_of(const struct reference *name, struct reference_texts *out)
{
	*out = (struct reference_texts){.full = NULL};
	if (!name)
		return;
	out->full = reference_format(name, out->full_text);
	out->familiar = reference_familiar(name, out->familiar_text);
	out->tag = name->tag;
}

int layout_index_print(struct buf *out, const struct layout_input *input,
    struct err *err)
{
	const struct layout_manifest *top = &input->manifests[0];
	char digest[DIGEST_TEXT_SIZE];
	json_auto_t *index = NULL;
	struct reference_texts names;

	names_of(input->name, &names);
	index = json_pack("{s:i, s:s, s:[{s:s, s:s, s:I, s:{s:s*, s:s*}}]}",
	    "schemaVersion", 2, "mediaType", MEDIA_OCI_INDEX, "manifests",
	    "mediaType", top->manifest->media_type, "digest",
	    digest_format(&top->digest, digest), "size", (json_int_t)top->len,
	    "annotations", "io.containerd.image.name", names.full,
	    "org.opencontainers.image.ref.name", names.tag);
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
	json_auto_t *list = NULL;
	struct reference_texts names;

	names_of(input->name, &names);
	list = json_pack("[{s:s, s:[s*], s:o}]", "Config",
	    blob_path(&image->config.digest, config), "RepoTags",
	    names.familiar, "Layers", layer_paths(image));
	return print(out, list, err);
}
