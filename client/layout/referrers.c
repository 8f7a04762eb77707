/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What refers to a manifest in a layout. Some tools put an entry without a name
 * into index.json for it, others keep the list of the Referrers Tag Schema: all
 * of them are found.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "blobs.h"
#include "location.h"
#include "manifests.h"

/* What a listing of referrers asks for. */
struct referrers_search {
	struct layout_source *layouts;
	const struct location *location;
	const struct digest *subject;
	source_referrer_fn *each;
	void *arg;
};

static int load(const struct referrers_search *search,
    const struct descriptor *entry, struct buf *text, struct manifest **out,
    struct err *err)
{
	int r = layout_blob_load(search->layouts, search->location->dir,
	    &entry->digest, text, err);

	return r < 0 ? r
		     : manifest_parse(text->data, text->len, entry->media_type,
			   out, err);
}

/* What is known of a manifest's subject: its digest's text, "" for none; NULL
 * where it was not looked at. A manifest never changes. */
static const char *known_subject(struct layout_source *layouts,
    const char *digest)
{
	SCOPED_LOCK(&layouts->lock);

	return map_get(&layouts->subjects, digest);
}

static void learn_subject(struct layout_source *layouts, const char *digest,
    const char *subject)
{
	char *copy = strdup(subject);

	SCOPED_LOCK(&layouts->lock);
	if (copy && !map_get(&layouts->subjects, digest) &&
	    map_put(&layouts->subjects, digest, copy) == 0)
		return;
	free(copy);
}

static int say(const struct referrers_search *search,
    const struct descriptor *entry, const struct manifest *manifest,
    struct err *err)
{
	const char *type = manifest->artifact_type;
	const struct descriptor referrer = {.media_type = manifest->media_type,
	    .digest = entry->digest,
	    .size = entry->size,
	    .artifact_type = type ? type : manifest->config.media_type,
	    .annotations = manifest->annotations,
	    .annotation_count = manifest->annotation_count};

	return search->each(search->arg, &referrer, err);
}

/* Says it if it refers to the subject. One that cannot be read does not. */
static int look_at(const struct referrers_search *search,
    const struct descriptor *entry, struct err *err)
{
	CLEANUP(manifest_free_p) struct manifest *manifest = NULL;
	AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
	char digest[DIGEST_TEXT_SIZE], subject[DIGEST_TEXT_SIZE] = "";
	char want[DIGEST_TEXT_SIZE];
	const char *known = known_subject(search->layouts,
	    digest_format(&entry->digest, digest));

	digest_format(search->subject, want);
	if (known && strcmp(known, want) != 0)
		return 0;
	if (load(search, entry, &text, &manifest, ERR_IGNORE) < 0)
		return 0;
	if (digest_is_set(&manifest->subject.digest))
		digest_format(&manifest->subject.digest, subject);
	learn_subject(search->layouts, digest, subject);
	return strcmp(subject, want) == 0 ? say(search, entry, manifest, err)
					  : 0;
}

static int search_index(const struct referrers_search *search, struct err *err)
{
	const struct manifest *index = search->location->state->index;
	int r = 0;

	for (size_t i = 0; i < index->entry_count && r == 0; i++)
		r = look_at(search, &index->entries[i], err);
	return r;
}

/* The list that the tag of the subject's digest names, if there is one. */
static int search_tag(const struct referrers_search *search, struct err *err)
{
	CLEANUP(manifest_free_p) struct manifest *list = NULL;
	AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
	const struct descriptor *entry;
	struct layout_name name;
	char hex[DIGEST_TEXT_SIZE];
	int r = 0;

	memcpy(name.repository, search->location->inner,
	    sizeof(name.repository));
	/* The schema cuts longer digests down to this. */
	snprintf(name.tag, sizeof(name.tag), "%s-%.64s",
	    digest_algorithm_name(search->subject->algorithm),
	    digest_hex(search->subject, hex));
	entry = layout_state_find(search->location->state, &name);
	if (!entry || load(search, entry, &text, &list, ERR_IGNORE) < 0 ||
	    list->kind != MANIFEST_INDEX)
		return 0;
	for (size_t i = 0; i < list->entry_count && r == 0; i++)
		r = search->each(search->arg, &list->entries[i], err);
	return r;
}

int manifests_referrers(struct source *source, const char *repository,
    const struct digest *digest, source_referrer_fn *each, void *arg,
    struct err *err)
{
	CLEANUP(location_release) struct location location;
	struct layout_source *layouts = layout_of(source);
	const struct referrers_search search = {layouts, &location, digest,
	    each, arg};
	int r = location_find(layouts, repository, &location, err);

	if (r == 0)
		r = search_tag(&search, err);
	return r == 0 ? search_index(&search, err) : r;
}
