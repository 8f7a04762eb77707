/* SPDX-License-Identifier: Apache-2.0 */
/* Removing tags. */
#include "image/untag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/log.h"
#include "image/push.h"
#include "push/manifest.h"

#include <sys/random.h>

#define EMPTY_CONFIG "{}"

static int random_digest(struct digest *out, struct err *err)
{
	*out = (struct digest){.algorithm = DIGEST_SHA256};
	if (getrandom(out->bytes, 32, 0) != 32)
		return err_sys(err, "getrandom");
	return 0;
}

static int refuse(struct images *images, const char *repository,
    struct err *err)
{
	char said[sizeof(err->msg)], place[sizeof(err->msg)];

	memcpy(said, err->msg, sizeof(said));
	return err_set(err, EPERM,
	    "%s: the registry does not delete (docker-registry does with "
	    "REGISTRY_STORAGE_DELETE_ENABLED=true): %s",
	    source_place(images_source(images), repository, place,
		sizeof(place)),
	    said);
}

int untag_check(struct images *images, const char *repository, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];
	struct digest nothing;
	struct err said = ERR_INIT;
	int r = random_digest(&nothing, err);

	if (r < 0)
		return r;
	/* Registries look at the switch before they look for the manifest. */
	r = source_manifest_delete(images_source(images), repository,
	    digest_format(&nothing, text), &said);
	if (r == 0 || r == -ENOENT)
		return 0;
	*err = said;
	return r == -EOPNOTSUPP ? refuse(images, repository, err) : r;
}

/* A manifest that nothing else names: an artifact without content, which says
 * what the tag named, should it stay. */
struct stand_in {
	struct buf text;
	struct archive_manifest manifest;
};

static void stand_in_release(struct stand_in *stand_in)
{
	buf_release(&stand_in->text);
}

static int stand_in_make(struct stand_in *stand_in, const struct digest *was,
    struct err *err)
{
	char empty[DIGEST_TEXT_SIZE], unique[DIGEST_TEXT_SIZE];
	char removed[DIGEST_TEXT_SIZE];
	struct digest config, number;
	int r = digest_of(DIGEST_SHA256, EMPTY_CONFIG, strlen(EMPTY_CONFIG),
	    &config, err);

	if (r == 0)
		r = random_digest(&number, err);
	if (r < 0)
		return r;
	digest_format(&config, empty);
	r = buf_addf(&stand_in->text, err,
	    "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST "\","
	    "\"config\":{\"mediaType\":\"" MEDIA_OCI_EMPTY
	    "\",\"digest\":\"%s\",\"size\":%zu},"
	    "\"layers\":[{\"mediaType\":\"" MEDIA_OCI_EMPTY
	    "\",\"digest\":\"%s\",\"size\":%zu}],"
	    "\"annotations\":{\"registryfs.removed\":\"%s\","
	    "\"registryfs.unique\":\"%s\"}}",
	    empty, strlen(EMPTY_CONFIG), empty, strlen(EMPTY_CONFIG),
	    was ? digest_format(was, removed) : "",
	    digest_hex(&number, unique));
	if (r == 0)
		r = digest_of(DIGEST_SHA256, stand_in->text.data,
		    stand_in->text.len, &stand_in->manifest.digest, err);
	stand_in->manifest.data = stand_in->text.data;
	stand_in->manifest.len = stand_in->text.len;
	stand_in->manifest.media_type = MEDIA_OCI_MANIFEST;
	return r;
}

/* Brings what a manifest of it needs, and makes one. */
static int stand_in_prepare(const struct tag_ref *target,
    const struct digest *was, struct stand_in *stand_in, struct err *err)
{
	struct payload body = {.data = EMPTY_CONFIG,
	    .size = strlen(EMPTY_CONFIG)};
	struct digest empty;
	int r =
	    digest_of(DIGEST_SHA256, body.data, (size_t)body.size, &empty, err);

	if (r == 0)
		r = push_blob_put(target, &empty, &body, err);
	return r < 0 ? r : stand_in_make(stand_in, was, err);
}

static int stand_in_delete(const struct tag_ref *target,
    const struct stand_in *stand_in, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];

	return source_manifest_remove(images_source(target->images),
	    target->repository, digest_format(&stand_in->manifest.digest, text),
	    err);
}

/* One that never had a tag is put and deleted. */
static int rehearse(const struct tag_ref *target, struct err *err)
{
	struct tag_ref untagged = *target;
	CLEANUP(stand_in_release)
	struct stand_in stand_in = {.text = BUF_INIT(MANIFEST_MAX_BYTES)};
	int r = stand_in_prepare(target, NULL, &stand_in, err);

	untagged.untagged = true;
	if (r == 0)
		r = push_manifest_put_last(&untagged, &stand_in.manifest, err);
	if (r == 0)
		r = stand_in_delete(target, &stand_in, err);
	return r == -EOPNOTSUPP
		   ? refuse(target->images, target->repository, err)
		   : r;
}

/* Whatever the failure was: 1 if the tag is gone, 0 if it names something of
 * somebody else's. */
static int look(const struct tag_ref *target, const struct stand_in *stand_in)
{
	struct digest now;
	int r = source_manifest_look(images_source(target->images),
	    target->repository, target->tag, &now, ERR_IGNORE);

	if (r == 0)
		return 1;
	return r == 1 && !digest_equal(&now, &stand_in->manifest.digest) ? 0
									 : -EIO;
}

/* What a removal that failed leaves: 0 if it has not failed after all. */
static int put_back(const struct tag_ref *target,
    const struct archive_manifest *was, const struct stand_in *stand_in,
    const struct err *why)
{
	struct err err = ERR_INIT;
	char text[DIGEST_TEXT_SIZE];
	int found = look(target, stand_in);

	if (found == 1)
		return 0;
	if (found < 0 && push_manifest_put_last(target, was, &err) < 0)
		log_error("cannot restore %s:%s, which was %s: %s",
		    target->repository, target->tag,
		    digest_format(&was->digest, text), err.msg);
	return -why->code;
}

static void note_removed(const struct tag_ref *target)
{
	images_tag_changed(target->images, target->repository, target->tag,
	    NULL);
	log_info("removed %s:%s", target->repository, target->tag);
}

/* A removal by a manifest that stands in for the tag's own. */
struct removal {
	struct tag_ref target; /* with names of the removal's own */
	char *repository, *tag;
	struct stand_in stand_in;
	struct source_manifest fetched;
	struct manifest *parsed;
	struct archive_manifest was; /* what would have to be put back */
};

static void removal_free(struct removal *removal)
{
	free(removal->repository);
	free(removal->tag);
	stand_in_release(&removal->stand_in);
	buf_release(&removal->fetched.body);
	if (removal->parsed)
		manifest_free(removal->parsed);
	free(removal);
}

DEFINE_CLEANUP(struct removal *, removal_free);

static void removal_release(void *arg)
{
	removal_free(arg);
}

static struct removal *removal_new(const struct tag_ref *target,
    struct err *err)
{
	CLEANUP(removal_free_p)
	struct removal *removal = calloc(1, sizeof(*removal));

	if (!removal) {
		err_nomem(err);
		return NULL;
	}
	removal->stand_in.text = BUF_INIT(MANIFEST_MAX_BYTES);
	removal->repository = strdup(target->repository);
	removal->tag = strdup(target->tag);
	removal->target = (struct tag_ref){.images = target->images,
	    .repository = removal->repository,
	    .tag = removal->tag};
	if (removal->repository && removal->tag)
		return steal(&removal);
	err_nomem(err);
	return NULL;
}

/* Moves the tag to a manifest of its own, and deletes that. */
static int move_away(void *arg, struct err *err)
{
	const struct removal *removal = arg;
	const struct tag_ref *target = &removal->target;
	int r =
	    push_manifest_put_last(target, &removal->stand_in.manifest, err);

	if (r == 0)
		r = stand_in_delete(target, &removal->stand_in, err);
	if (r < 0)
		r = put_back(target, &removal->was, &removal->stand_in, err);
	if (r == 0)
		note_removed(target);
	return r;
}

/* What the tag names, as it would have to be put back. */
static int remember(struct removal *removal, struct err *err)
{
	const struct tag_ref *target = &removal->target;
	struct source_manifest *fetched = &removal->fetched;
	int r = source_manifest_get(images_source(target->images),
	    target->repository, target->tag, fetched, err);

	if (r == 0)
		r = manifest_parse(fetched->body.data, fetched->body.len,
		    *fetched->media_type ? fetched->media_type : NULL,
		    &removal->parsed, err);
	if (r < 0)
		return r;
	if (!*removal->parsed->media_type)
		return err_set(err, EPERM,
		    "the manifest has no media type, so it could not be "
		    "restored; not removed");
	removal->was = (struct archive_manifest){.data = fetched->body.data,
	    .len = fetched->body.len,
	    .media_type = removal->parsed->media_type,
	    .digest = fetched->digest,
	    .manifest = removal->parsed};
	return 0;
}

static int by_digest(const struct tag_ref *target, struct err *err)
{
	CLEANUP(removal_free_p)
	struct removal *removal = removal_new(target, err);
	struct work work = {move_away, removal_release, NULL};
	int r;

	if (!removal)
		return -err->code;
	r = untag_check(target->images, target->repository, err);
	if (r == 0)
		r = rehearse(target, err);
	if (r == 0)
		r = remember(removal, err);
	if (r == 0)
		r = stand_in_prepare(target, &removal->was.digest,
		    &removal->stand_in, err);
	if (r < 0)
		return r;
	work.arg = steal(&removal);
	return completer_do(images_completer(target->images), &work, err);
}

static int remove_tag(const struct tag_ref *target, struct err *err)
{
	struct source *source = images_source(target->images);
	struct err unsupported = ERR_INIT;
	struct digest now;
	int r = source_manifest_look(source, target->repository, target->tag,
	    &now, ERR_IGNORE);

	/* Check first: after the DELETE, "never existed" and "just deleted"
	 * look the same. */
	if (r == 0)
		return err_set(err, ENOENT, "the tag does not exist");
	r = source_manifest_remove(source, target->repository, target->tag,
	    &unsupported);
	if (r == -EOPNOTSUPP)
		return by_digest(target, err);
	if (r == 0)
		note_removed(target);
	else
		*err = unsupported;
	return r;
}

int untag(struct images *images, const char *repository, const char *tag,
    struct err *err)
{
	const struct tag_ref target = {.images = images,
	    .repository = repository,
	    .tag = tag};
	int r;

	budget_be_patient();
	r = remove_tag(&target, err);
	return r < 0 ? err_wrap(err, "removing %s:%s", repository, tag) : 0;
}
