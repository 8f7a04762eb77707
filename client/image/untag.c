/* SPDX-License-Identifier: Apache-2.0 */
/* Removing tags. */
#include "image/untag.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/task.h"
#include "image/push.h"
#include "push_manifest.h"

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
	char said[sizeof(err->msg)];

	memcpy(said, err->msg, sizeof(said));
	return err_set(err, EPERM,
	    "%s/%s: the registry does not delete (docker-registry does with "
	    "REGISTRY_STORAGE_DELETE_ENABLED=true): %s",
	    registry_host(images_registry(images)), repository, said);
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
	r = registry_manifest_delete(images_registry(images), repository,
	    digest_format(&nothing, text), &said);
	if (r == 0 || r == -ENOENT)
		return 0;
	*err = said;
	return r == -EOPNOTSUPP ? refuse(images, repository, err) : r;
}

/* A manifest that nothing else names: an artifact without content. */
struct stand_in {
	struct buf text;
	struct archive_manifest manifest;
};

static void stand_in_release(struct stand_in *it)
{
	buf_release(&it->text);
}

static int stand_in_make(struct stand_in *it, struct err *err)
{
	char empty[DIGEST_TEXT_SIZE], unique[DIGEST_TEXT_SIZE];
	struct digest config, number;
	int r = digest_of(DIGEST_SHA256, EMPTY_CONFIG, strlen(EMPTY_CONFIG),
	    &config, err);

	if (r == 0)
		r = random_digest(&number, err);
	if (r < 0)
		return r;
	digest_format(&config, empty);
	r = buf_addf(&it->text, err,
	    "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST "\","
	    "\"config\":{\"mediaType\":\"" MEDIA_OCI_EMPTY
	    "\",\"digest\":\"%s\",\"size\":%zu},"
	    "\"layers\":[{\"mediaType\":\"" MEDIA_OCI_EMPTY
	    "\",\"digest\":\"%s\",\"size\":%zu}],"
	    "\"annotations\":{\"registryfs.removed\":\"%s\"}}",
	    empty, strlen(EMPTY_CONFIG), empty, strlen(EMPTY_CONFIG),
	    digest_hex(&number, unique));
	if (r == 0)
		r = digest_of(DIGEST_SHA256, it->text.data, it->text.len,
		    &it->manifest.digest, err);
	it->manifest.data = it->text.data;
	it->manifest.len = it->text.len;
	it->manifest.media_type = MEDIA_OCI_MANIFEST;
	return r;
}

static int stand_in_put(const struct push_target *target, struct err *err,
    struct stand_in *it)
{
	struct http_body body = {.data = EMPTY_CONFIG,
	    .size = strlen(EMPTY_CONFIG)};
	struct digest empty;
	int r =
	    digest_of(DIGEST_SHA256, body.data, (size_t)body.size, &empty, err);

	if (r == 0)
		r = push_blob_put(target, &empty, &body, err);
	if (r >= 0)
		r = stand_in_make(it, err);
	return r < 0 ? r : push_manifest_put_last(target, &it->manifest, err);
}

static int stand_in_delete(const struct push_target *target,
    const struct stand_in *it, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];

	return registry_manifest_delete(images_registry(target->images),
	    target->repository, digest_format(&it->manifest.digest, text), err);
}

/* One that never had a tag is put and deleted. */
static int rehearse(const struct push_target *target, struct err *err)
{
	const struct push_target untagged = {.images = target->images,
	    .repository = target->repository,
	    .tag = target->tag,
	    .untagged = true};
	CLEANUP(stand_in_release)
	struct stand_in it = {.text = BUF_INIT(MANIFEST_MAX_BYTES)};
	int r = stand_in_put(&untagged, err, &it);

	if (r == 0)
		r = stand_in_delete(target, &it, err);
	return r == -EOPNOTSUPP
		   ? refuse(target->images, target->repository, err)
		   : r;
}

static void put_back(const struct push_target *target,
    const struct registry_manifest *was)
{
	struct archive_manifest manifest = {.data = was->body.data,
	    .len = was->body.len,
	    .media_type = was->media_type,
	    .digest = was->digest};
	struct err err = ERR_INIT;

	if (push_manifest_put_last(target, &manifest, &err) < 0)
		log_error("%s:%s could not be put back, it was %s: %s",
		    target->repository, target->tag,
		    digest_format(&was->digest, (char[DIGEST_TEXT_SIZE]){0}),
		    err.msg);
}

/* Moves the tag to a manifest of its own, and deletes that. */
static int move_away(const struct push_target *target,
    const struct registry_manifest *was, struct err *err)
{
	CLEANUP(stand_in_release)
	struct stand_in it = {.text = BUF_INIT(MANIFEST_MAX_BYTES)};
	struct err broken = ERR_INIT;
	struct task *task = task_suspend();
	int r = stand_in_put(target, &broken, &it);

	if (r == 0)
		r = stand_in_delete(target, &it, &broken);
	if (r < 0) {
		put_back(target, was);
		*err = broken;
	}
	task_resume(task);
	return r;
}

static int by_digest(const struct push_target *target, struct err *err)
{
	struct registry_manifest was = {.body = BUF_INIT(0)};
	int r = untag_check(target->images, target->repository, err);

	if (r == 0)
		r = rehearse(target, err);
	if (r == 0)
		r = registry_manifest_get(images_registry(target->images),
		    target->repository, target->tag, &was, err);
	if (r == 0)
		r = move_away(target, &was, err);
	buf_release(&was.body);
	return r;
}

int untag(struct images *images, const char *repository, const char *tag,
    struct err *err)
{
	const struct push_target target = {.images = images,
	    .repository = repository,
	    .tag = tag};
	struct err unsupported = ERR_INIT;
	int r = registry_manifest_delete(images_registry(images), repository,
	    tag, &unsupported);

	if (r == -EOPNOTSUPP)
		r = by_digest(&target, err);
	else if (r < 0)
		*err = unsupported;
	if (r < 0)
		return err_wrap(err, "removing %s:%s", repository, tag);
	images_tag_changed(images, repository, tag, NULL);
	log_info("removed %s:%s", repository, tag);
	return 0;
}
