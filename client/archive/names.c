/* SPDX-License-Identifier: Apache-2.0 */
/* What the images of an archive are called in it. */
#include "archive/names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "draft.h"
#include "oci/reference.h"

/* The names while they are collected, and what owns them. */
struct collecting {
	struct archive_names names;
	struct draft *draft;
	const char **list;
	const char **tags;
	const char **ids; /* of the images, each once */
};

void archive_names_free(struct archive_names *names)
{
	struct collecting *self;

	if (!names)
		return;
	self = container_of(names, struct collecting, names);
	draft_free(self->draft);
	free(self->list);
	free(self->tags);
	free(self->ids);
	free(self);
}

/* Adds a text unless it is there. */
static void add(const char **list, size_t *count, const char *text)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(list[i], text) == 0)
			return;
	list[(*count)++] = text;
}

/* A bare tag, as layouts have it, says no repository. */
static bool is_reference(const struct image_name *name)
{
	struct reference reference;

	return *name->tag && strchr(name->text, ':') &&
	       reference_parse(&reference, name->text, ERR_IGNORE) == 0;
}

/* only_first: the others are the same name in another form. */
static void add_image(struct collecting *self, const char *id,
    const struct image_name *names, size_t count, bool only_first)
{
	struct archive_names *out = &self->names;
	bool named = false;

	add(self->ids, &out->image_count, id);
	for (size_t i = 0; i < count && !(named && only_first); i++) {
		if (!is_reference(&names[i]))
			continue;
		add(self->list, &out->count, names[i].text);
		named = true;
	}
	if (!named && count > 0 &&
	    tag_valid(names[0].text, strlen(names[0].text)))
		add(self->tags, &out->tag_count, names[0].text);
	if (!named && !out->unnamed)
		out->unnamed = count > 0 ? names[0].text : "";
}

static int make_room(struct collecting *self, size_t names, size_t images,
    struct err *err)
{
	self->list = calloc(names + 1, sizeof(*self->list));
	self->tags = calloc(images + 1, sizeof(*self->tags));
	self->ids = calloc(images + 1, sizeof(*self->ids));
	self->names.list = self->list;
	self->names.tags = self->tags;
	return self->list && self->tags && self->ids ? 0 : err_nomem(err);
}

static int collect_docker(struct collecting *self, struct err *err)
{
	const struct docker_archive *docker = self->draft->docker;
	size_t count = 0;
	int r;

	for (size_t i = 0; i < docker->image_count; i++)
		count += docker->images[i].name_count;
	r = make_room(self, count, docker->image_count, err);
	for (size_t i = 0; r == 0 && i < docker->image_count; i++) {
		const struct docker_archive_image *image = &docker->images[i];

		add_image(self, image->config, image->names, image->name_count,
		    false);
	}
	return r;
}

static int collect_layout(struct collecting *self,
    const struct archive_entry *json, struct err *err)
{
	const struct manifest *index;
	struct oci_manifest *read;
	int r = oci_read(self->draft, json, &read, err);

	if (r < 0)
		return r;
	index = read->parsed;
	r = make_room(self, index->entry_count, index->entry_count, err);
	for (size_t i = 0; r == 0 && i < index->entry_count; i++) {
		const struct descriptor *entry = &index->entries[i];
		struct image_name names[LAYOUT_MAX_NAMES];
		char *id = arena_alloc(&self->draft->arena, DIGEST_TEXT_SIZE);

		if (!id)
			return err_nomem(err);
		if (!descriptor_is_attestation(entry))
			add_image(self, digest_format(&entry->digest, id),
			    names, layout_names(entry, names), true);
	}
	return r;
}

int archive_names_read(struct archive_reader *reader,
    struct archive_names **out, struct err *err)
{
	struct collecting *self = calloc(1, sizeof(*self));
	CLEANUP(archive_names_free_p) struct archive_names *names = NULL;
	struct archive_entry layout;
	int r;

	if (!self)
		return err_nomem(err);
	self->draft = calloc(1, sizeof(*self->draft));
	if (!self->draft) {
		free(self);
		return err_nomem(err);
	}
	names = &self->names;
	self->draft->reader = reader;
	r = draft_is_docker(self->draft, err);
	if (r == 1)
		r = collect_docker(self, err);
	else if (r == 0 && (r = draft_is_layout(self->draft, &layout, err)) > 0)
		r = collect_layout(self, &layout, err);
	if (r == 0)
		*out = steal(&names);
	return r < 0 ? r : 0;
}
