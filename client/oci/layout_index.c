/* SPDX-License-Identifier: Apache-2.0 */
/* Names in the index of an image layout. */
#include "oci/layout_index.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "print.h"
#include "json/document.h"

#define FULL_NAME "io.containerd.image.name"
#define REF_NAME "org.opencontainers.image.ref.name"

/* Such a name has the entry that has none, and is alone in that. */
#define ONLY_TAG "latest"

enum { FULL_SIZE = REPOSITORY_MAX + 1 + TAG_MAX + 1 };

bool layout_name_equal(const struct layout_name *a, const struct layout_name *b)
{
	return strcmp(a->repository, b->repository) == 0 &&
	       strcmp(a->tag, b->tag) == 0;
}

/* Where a port begins in "host:port/…" or, with '_' for the colon, in a
 * repository's name. NULL: the name has no port. */
static char *port_of(char *name, char colon)
{
	size_t host = strcspn(name, "/");
	char *end = name + host, *port = end;

	while (port > name && isdigit((unsigned char)port[-1]))
		port--;
	return *end && port < end && port > name && port[-1] == colon ? port - 1
								      : NULL;
}

/* "host:5000/app" as a repository's name. */
static bool parse_repository(const char *name, char out[REPOSITORY_MAX + 1])
{
	char *colon;

	if (strlen(name) > REPOSITORY_MAX)
		return false;
	snprintf(out, REPOSITORY_MAX + 1, "%s", name);
	colon = port_of(out, ':');
	if (colon)
		*colon = '_';
	return repository_valid(out);
}

/* The same back. */
static void print_repository(const char *repository,
    char out[REPOSITORY_MAX + 1])
{
	char *underscore;

	snprintf(out, REPOSITORY_MAX + 1, "%s", repository);
	underscore = port_of(out, '_');
	if (underscore && reference_host(out, (size_t)(underscore - out)))
		*underscore = ':';
}

static bool parse_full(const char *text, struct layout_name *out)
{
	struct reference reference;

	if (!text || reference_parse(&reference, text, ERR_IGNORE) < 0 ||
	    !*reference.tag || digest_is_set(&reference.digest) ||
	    !parse_repository(reference.name, out->repository))
		return false;
	memcpy(out->tag, reference.tag, sizeof(out->tag));
	return true;
}

static struct layout_name name_of(const struct descriptor *entry)
{
	const char *ref = descriptor_annotation(entry, REF_NAME);
	struct layout_name name;

	if (parse_full(descriptor_annotation(entry, FULL_NAME), &name))
		return name;
	if (ref && tag_valid(ref, strlen(ref))) {
		name.repository[0] = '\0';
		snprintf(name.tag, sizeof(name.tag), "%s", ref);
		return name;
	}
	if (parse_full(ref, &name))
		return name;
	return (struct layout_name){"", ""};
}

const char *layout_unusable_name(const struct descriptor *entry)
{
	const struct layout_name name = name_of(entry);
	const char *text = descriptor_annotation(entry, REF_NAME);

	if (*name.tag)
		return NULL;
	return text ? text : descriptor_annotation(entry, FULL_NAME);
}

/* Whether it has no name and could do with one. */
static bool is_nameless(const struct descriptor *entry,
    const struct layout_name *name)
{
	return !*name->tag && !entry->artifact_type &&
	       !descriptor_annotation(entry, REF_NAME) &&
	       !descriptor_annotation(entry, FULL_NAME);
}

static void name_the_only_one(const struct manifest *index,
    struct layout_name *names)
{
	const struct layout_name latest = {"", ONLY_TAG};
	struct layout_name *only = NULL;

	for (size_t i = 0; i < index->entry_count; i++) {
		bool nameless = is_nameless(&index->entries[i], &names[i]);

		if ((nameless && only) || layout_name_equal(&names[i], &latest))
			return;
		if (nameless)
			only = &names[i];
	}
	if (only)
		*only = latest;
}

/* With those that name a second entry. */
static int all_names(const struct manifest *index, struct layout_name **out,
    struct err *err)
{
	struct layout_name *names =
	    calloc(index->entry_count + 1, sizeof(*names));

	if (!names)
		return err_nomem(err);
	for (size_t i = 0; i < index->entry_count; i++)
		names[i] = name_of(&index->entries[i]);
	name_the_only_one(index, names);
	*out = names;
	return 0;
}

int layout_index_names(const struct manifest *index, struct layout_name **out,
    struct err *err)
{
	struct map seen = MAP_INIT;
	int r = all_names(index, out, err);

	for (size_t i = 0; r == 0 && i < index->entry_count; i++) {
		struct layout_name *name = &(*out)[i];
		char key[FULL_SIZE];

		if (!*name->tag)
			continue;
		snprintf(key, sizeof(key), "%s:%s", name->repository,
		    name->tag);
		if (map_get(&seen, key))
			*name = (struct layout_name){"", ""};
		else if (map_put(&seen, key, name) < 0)
			r = err_nomem(err);
	}
	map_release(&seen);
	if (r < 0)
		free(steal(out));
	return r;
}

int layout_reference(const char *repository, struct reference *out,
    struct err *err)
{
	char name[REPOSITORY_MAX + 1];
	size_t host;
	int len;

	print_repository(repository, name);
	host = strcspn(name, "/");
	*out = (struct reference){.name = ""};
	len = snprintf(out->name, sizeof(out->name), "%s%s",
	    name[host] && reference_host(name, host) ? "" : "localhost/", name);
	return (size_t)len < sizeof(out->name)
		   ? 0
		   : err_set(err, ENAMETOOLONG, "%s is too long a name", name);
}

/* Its index and the names in it. */
struct edited {
	json_t *root;
	json_t *entries; /* borrowed from root */
	struct manifest *index;
	struct layout_name *names;
};

static void edited_release(struct edited *edited)
{
	json_decref(edited->root);
	if (edited->index)
		manifest_free(edited->index);
	free(edited->names);
}

/* Which are null where Go's programs have emptied the list. */
static int entries_of(json_t *root, json_t **out, struct err *err)
{
	int r = document_member(root, "manifests", JSON_ARRAY, out, err);

	if (r < 0 || *out)
		return r;
	*out = json_array();
	return json_object_set_new(root, "manifests", *out) < 0 ? err_nomem(err)
								: 0;
}

static int edited_read(struct edited *edited, const void *index, size_t len,
    struct err *err)
{
	int r = document_read(index, len, MANIFEST_MAX_BYTES, JSON_OBJECT,
	    &edited->root, err);

	if (r == 0)
		r = manifest_parse(index, len, MEDIA_OCI_INDEX, &edited->index,
		    err);
	if (r == 0)
		r = entries_of(edited->root, &edited->entries, err);
	if (r == 0)
		r = all_names(edited->index, &edited->names, err);
	if (r == 0 &&
	    json_array_size(edited->entries) != edited->index->entry_count)
		r = err_set(err, EINVAL, "its \"manifests\" cannot be changed");
	return r;
}

/* Prints the annotations by which a new entry has the name; true where there
 * are two. */
static bool print_name(const struct layout_name *name, char full[FULL_SIZE],
    struct annotation annotations[2])
{
	char repository[REPOSITORY_MAX + 1];

	annotations[0] = (struct annotation){REF_NAME, name->tag};
	if (!*name->repository)
		return false;
	print_repository(name->repository, repository);
	snprintf(full, FULL_SIZE, "%s:%s", repository, name->tag);
	annotations[0] = (struct annotation){FULL_NAME, full};
	annotations[1] = (struct annotation){REF_NAME, full};
	return true;
}

/* Those by which the entry has it: how many. */
static size_t copy_name(const struct descriptor *entry,
    struct annotation annotations[2])
{
	static const char *const keys[] = {FULL_NAME, REF_NAME};
	size_t count = 0;

	for (size_t i = 0; entry && i < 2; i++) {
		const char *value = descriptor_annotation(entry, keys[i]);

		if (value)
			annotations[count++] =
			    (struct annotation){keys[i], value};
	}
	return count;
}

/* An entry's JSON, with its name; `before` is the one in whose place it goes,
 * or NULL: other tools still find it as they found that one. */
static json_t *named_entry(const struct descriptor *to,
    const struct layout_name *name, const struct descriptor *before)
{
	char full[FULL_SIZE];
	struct annotation annotations[2];
	struct descriptor entry = {.media_type = to->media_type,
	    .digest = to->digest,
	    .size = to->size,
	    .artifact_type = to->artifact_type,
	    .annotations = annotations,
	    .annotation_count = copy_name(before, annotations)};

	if (entry.annotation_count == 0)
		entry.annotation_count =
		    print_name(name, full, annotations) ? 2 : 1;
	return descriptor_json(&entry);
}

int layout_index_set(struct buf *out, const void *index, size_t len,
    const struct layout_name *name, const struct descriptor *to,
    struct err *err)
{
	CLEANUP(edited_release) struct edited edited = {.root = NULL};
	size_t at;
	bool had = false;
	int r = edited_read(&edited, index, len, err);

	if (r < 0)
		return r;
	at = edited.index->entry_count;
	for (size_t i = at; i > 0; i--) {
		if (!layout_name_equal(&edited.names[i - 1], name))
			continue;
		json_array_remove(edited.entries, i - 1);
		at = i - 1;
		had = true;
	}
	if (!to && !had)
		return 0;
	/* One that nobody could read again. */
	if (to && !had && at >= MANIFEST_MAX_ENTRIES)
		return err_set(err, EFBIG,
		    "it has %d entries already, the most that it can have",
		    MANIFEST_MAX_ENTRIES);
	if (to && json_array_insert_new(edited.entries,
		      had ? at : json_array_size(edited.entries),
		      named_entry(to, name,
			  had ? &edited.index->entries[at] : NULL)) < 0)
		return err_nomem(err);
	r = document_print(edited.root, out, err);
	return r < 0 ? r : 1;
}

int layout_index_drop(struct buf *out, const void *index, size_t len,
    const char *repository, const struct digest *digest, struct err *err)
{
	CLEANUP(edited_release) struct edited edited = {.root = NULL};
	bool had = false;
	int r = edited_read(&edited, index, len, err);

	if (r < 0)
		return r;
	for (size_t i = edited.index->entry_count; i > 0; i--) {
		if (strcmp(edited.names[i - 1].repository, repository) != 0 ||
		    !digest_equal(&edited.index->entries[i - 1].digest, digest))
			continue;
		json_array_remove(edited.entries, i - 1);
		had = true;
	}
	if (!had)
		return 0;
	r = document_print(edited.root, out, err);
	return r < 0 ? r : 1;
}
