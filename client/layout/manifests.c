/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests in layouts: blobs that tags name in index.json. */
#include "manifests.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "blobs.h"
#include "directory.h"
#include "lacking.h"
#include "location.h"
#include "lock.h"
#include "notices.h"

/* A tool that does not know of the lock may write as well. */
enum { TRIES = 100 };

static bool is_digest(const char *reference)
{
	return strchr(reference, ':');
}

static struct layout_name name_in(const struct location *location,
    const char *tag)
{
	struct layout_name name;

	memcpy(name.repository, location->inner, sizeof(name.repository));
	snprintf(name.tag, sizeof(name.tag), "%s", tag);
	return name;
}

/* What a reference says that it names, which need not be there. */
static int resolve(const struct location *location, const char *repository,
    const char *reference, struct digest *out, struct err *err)
{
	const struct descriptor *entry;
	struct layout_name name;

	if (is_digest(reference))
		return digest_parse(out, reference, err);
	name = name_in(location, reference);
	entry = layout_state_find(location->state, &name);
	if (!entry)
		return lacking(err, "%s:%s: no such tag", repository,
		    reference);
	*out = entry->digest;
	return 0;
}

static const struct descriptor *entry_of(const struct layout_state *state,
    const struct digest *digest)
{
	for (size_t i = 0; i < state->index->entry_count; i++)
		if (digest_equal(&state->index->entries[i].digest, digest))
			return &state->index->entries[i];
	return NULL;
}

/* Not every blob is a manifest. */
static int check_manifest(const struct source_manifest *got,
    const char *repository, const char *reference, struct err *err)
{
	CLEANUP(manifest_free_p) struct manifest *manifest = NULL;
	const char *type = *got->media_type ? got->media_type : NULL;
	struct err reason = ERR_INIT;
	int r = manifest_parse(got->body.data, got->body.len, type, &manifest,
	    &reason);

	if (r == -EINVAL)
		return lacking(err, "%s@%s is not a manifest: %s", repository,
		    reference, reason.msg);
	if (r < 0)
		*err = reason;
	return r;
}

static int load(struct layout_source *layouts, const struct location *location,
    const char *repository, const char *reference, struct source_manifest *out,
    struct err *err)
{
	const struct descriptor *entry;
	int r = resolve(location, repository, reference, &out->digest, err);

	if (r < 0)
		return r;
	entry = entry_of(location->state, &out->digest);
	if (entry)
		snprintf(out->media_type, sizeof(out->media_type), "%.*s",
		    (int)strcspn(entry->media_type, "; \t"), entry->media_type);
	r = layout_blob_load(layouts, location->dir, &out->digest, &out->body,
	    err);
	if (r == -EFBIG)
		return lacking(err, "%s@%s is too large for a manifest",
		    repository, reference);
	if (r == 0 && is_digest(reference))
		r = check_manifest(out, repository, reference, err);
	return r;
}

int manifests_get(struct source *source, const char *repository,
    const char *reference, struct source_manifest *out, struct err *err)
{
	CLEANUP(location_release) struct location location;
	struct layout_source *layouts = layout_of(source);
	int r = location_find(layouts, repository, &location, err);

	*out = (struct source_manifest){.body = BUF_INIT(MANIFEST_MAX_BYTES)};
	if (r == 0)
		r = load(layouts, &location, repository, reference, out, err);
	if (r < 0)
		buf_release(&out->body);
	return r;
}

int manifests_head(struct source *source, const char *repository,
    const char *reference, struct digest *out, struct err *err)
{
	CLEANUP(location_release) struct location location;
	struct layout_source *layouts = layout_of(source);
	int r = location_find(layouts, repository, &location, err);

	if (r == 0)
		r = resolve(&location, repository, reference, out, err);
	if (r < 0 || !is_digest(reference))
		return r;
	r = layout_blob_exists(layouts, location.dir, out, UINT64_MAX, err);
	return r == 0  ? lacking(err, "%s@%s: no such manifest", repository,
			     reference)
	       : r < 0 ? r
		       : 0;
}

int manifests_look(struct source *source, const char *repository,
    const char *reference, struct digest *out, struct err *err)
{
	struct err missing = ERR_INIT;
	int r = manifests_head(source, repository, reference, out, &missing);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		*err = missing;
	return r < 0 ? r : 1;
}

static int check_blob(struct layout_source *layouts,
    const struct location *location, const char *repository,
    const struct descriptor *blob, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];
	int r;

	if (blob->has_urls || !digest_is_set(&blob->digest))
		return 0;
	r = layout_blob_exists(layouts, location->dir, &blob->digest,
	    blob->size, err);
	return r == 0  ? err_set(err, EINVAL,
			     "the manifest names the blob %s of %llu bytes, "
			      "which %s does not have",
			     digest_format(&blob->digest, text),
			     (unsigned long long)blob->size, repository)
	       : r < 0 ? r
		       : 0;
}

/* What an image is made of has to be there; of an index some may be left out.
 */
static int check_blobs(struct layout_source *layouts,
    const struct location *location, const char *repository,
    const struct manifest *manifest, struct err *err)
{
	int r;

	if (manifest->kind == MANIFEST_INDEX)
		return 0;
	r = check_blob(layouts, location, repository, &manifest->config, err);
	for (size_t i = 0; i < manifest->entry_count && r == 0; i++)
		r = check_blob(layouts, location, repository,
		    &manifest->entries[i], err);
	return r;
}

/* Tools that collect garbage (umoci gc) remove what is not named yet. */
static int check_kept(struct layout_source *layouts,
    const struct location *location, const char *repository,
    const struct manifest *manifest, const struct descriptor *self,
    struct err *err)
{
	int r = check_blob(layouts, location, repository, self, err);

	if (r == 0)
		r = check_blobs(layouts, location, repository, manifest, err);
	if (r != -EINVAL)
		return r;
	err_set(err, EIO,
	    "another program removed blobs of the image meanwhile, which no "
	    "tag named yet: push it again");
	return -EIO;
}

/* A change of an index.json: prints what it becomes, 1, or 0 where it stays. */
typedef int change_fn(const struct layout_state *state, void *arg,
    struct buf *out, struct err *err);

/* Makes it, with the lock: 1, or 0. */
static int change_locked(struct layout_source *layouts,
    struct location *location, change_fn *change, void *arg, struct err *err)
{
	for (int tries = 0; tries < TRIES; tries++) {
		AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
		int r = location_refresh(layouts, location, err);

		if (r == 0)
			r = change(location->state, arg, &text, err);
		if (r <= 0)
			return r;
		r = directory_put_index(layouts, location->dir, location->state,
		    &text, err);
		if (r != 0)
			return r;
	}
	return err_set(err, EBUSY,
	    "%s/%s: other programs kept changing " LAYOUT_INDEX
	    "; gave up after %d tries",
	    layouts->path, location->dir, TRIES);
}

static int change_index(struct layout_source *layouts,
    struct location *location, change_fn *change, void *arg, struct err *err)
{
	AUTO_FD int lock = layout_lock(layouts, location->dir, err);

	return lock < 0 ? lock
			: change_locked(layouts, location, change, arg, err);
}

static int clear_name(const struct layout_state *state, void *arg,
    struct buf *out, struct err *err)
{
	return layout_index_set(out, state->text.data, state->text.len, arg,
	    NULL, err);
}

/* A name, and the manifest that it is to be of. */
struct naming {
	struct layout_name name;
	struct layout_source *layouts;
	const struct location *location;
	const char *repository;
	const struct manifest *manifest;
	const struct descriptor *to; /* that manifest */
};

/* What is named once is kept by those who collect garbage, so that this is the
 * time to look. */
static int set_name(const struct layout_state *state, void *arg,
    struct buf *out, struct err *err)
{
	const struct naming *naming = arg;
	int r = check_kept(naming->layouts, naming->location,
	    naming->repository, naming->manifest, naming->to, err);

	return r < 0 ? r
		     : layout_index_set(out, state->text.data, state->text.len,
			   &naming->name, naming->to, err);
}

int manifests_put(struct source *source, const char *repository,
    const char *reference, const char *media_type, const void *data, size_t len,
    const struct digest *digest, struct err *err)
{
	CLEANUP(location_release) struct location location = {.state = NULL};
	CLEANUP(manifest_free_p) struct manifest *manifest = NULL;
	struct layout_source *layouts = layout_of(source);
	const struct payload payload = {.data = data, .size = len};
	struct descriptor to = {.media_type = media_type,
	    .digest = *digest,
	    .size = len};
	struct naming naming = {.layouts = layouts,
	    .location = &location,
	    .repository = repository,
	    .to = &to};
	int r = manifest_parse(data, len, media_type, &manifest, err);

	if (r == 0)
		r = location_make(layouts, repository, &location, err);
	if (r == 0)
		r = check_blobs(layouts, &location, repository, manifest, err);
	if (r < 0)
		return r;
	to.artifact_type = manifest->artifact_type;
	r = layout_blob_store(layouts, location.dir, digest, &payload, err);
	if (r < 0 || is_digest(reference))
		return r;
	naming.name = name_in(&location, reference);
	naming.manifest = manifest;
	r = change_index(layouts, &location, set_name, &naming, err);
	if (r < 0)
		return r;
	notices_put(layouts, location.dir, &naming.name, digest);
	return 0;
}

/* The entries of a repository that are of a digest. */
struct dropping {
	const char *repository;
	const struct digest *digest;
};

static int drop(const struct layout_state *state, void *arg, struct buf *out,
    struct err *err)
{
	const struct dropping *dropping = arg;

	return layout_index_drop(out, state->text.data, state->text.len,
	    dropping->repository, dropping->digest, err);
}

/* With all of its tags; its bytes stay where another repository of the layout
 * has it. */
static int delete_digest(struct layout_source *layouts,
    struct location *location, const char *reference, struct err *err)
{
	struct digest digest;
	struct dropping dropping = {location->inner, &digest};
	int r = digest_parse(&digest, reference, err);

	if (r == 0)
		r = layout_blob_exists(layouts, location->dir, &digest,
		    UINT64_MAX, err);
	if (r == 0)
		return lacking(err, "%s: no such manifest", reference);
	if (r > 0)
		notices_remove_digest(layouts, location->dir, location->inner,
		    &digest);
	if (r > 0)
		r = change_index(layouts, location, drop, &dropping, err);
	if (r >= 0)
		r = location_refresh(layouts, location, err);
	if (r < 0 || entry_of(location->state, &digest))
		return r;
	return layout_blob_remove(layouts, location->dir, &digest, err);
}

static int delete_tag(struct layout_source *layouts, struct location *location,
    const char *tag, struct err *err)
{
	struct layout_name name = name_in(location, tag);
	int r;

	notices_remove(layouts, location->dir, &name);
	r = change_index(layouts, location, clear_name, &name, err);
	return r == 0 ? lacking(err, "%s: no such tag", tag) : r < 0 ? r : 0;
}

int manifests_delete(struct source *source, const char *repository,
    const char *reference, struct err *err)
{
	CLEANUP(location_release) struct location location;
	struct layout_source *layouts = layout_of(source);
	int r = location_find(layouts, repository, &location, err);

	if (r < 0)
		return r;
	return is_digest(reference)
		   ? delete_digest(layouts, &location, reference, err)
		   : delete_tag(layouts, &location, reference, err);
}

int manifests_remove(struct source *source, const char *repository,
    const char *reference, struct err *err)
{
	struct err failure = ERR_INIT;
	int r = manifests_delete(source, repository, reference, &failure);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		*err = failure;
	return r;
}
