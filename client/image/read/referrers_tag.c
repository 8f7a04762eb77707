/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list that clients keep under a tag, where the registry keeps none:
 * distribution-spec "Referrers Tag Schema".
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/strf.h"
#include "catalog/referrers_state.h"
#include "oci/edit.h"

enum {
	/* Of several who change a list at once, one comes through each time. */
	TRIES = 20,
	PAUSE_MIN_MS = 20,
	PAUSE_MAX_MS = 1000,
};

const char *referrers_tag(const struct digest *subject,
    char out[REFERRERS_TAG_SIZE])
{
	char hex[DIGEST_TEXT_SIZE];

	snprintf(out, REFERRERS_TAG_SIZE, "%s-%.64s",
	    digest_algorithm_name(subject->algorithm),
	    digest_hex(subject, hex));
	return out;
}

const struct cosign_tag cosign_tags[COSIGN_TAGS] = {
    {"sig", "application/vnd.dev.cosign.artifact.sig.v1+json"},
    {"att", "application/vnd.dsse.envelope.v1+json"}, /* what it holds */
    {"sbom", "application/vnd.dev.cosign.artifact.sbom.v1+json"},
};

const char *cosign_tag(const struct digest *subject,
    const struct cosign_tag *kind, char out[COSIGN_TAG_SIZE])
{
	char tag[REFERRERS_TAG_SIZE];

	snprintf(out, COSIGN_TAG_SIZE, "%s.%s", referrers_tag(subject, tag),
	    kind->ending);
	return out;
}

/* What the tag names: 1, or 0 if there is no such tag. */
static int fetch(struct images *images, const char *repository, const char *tag,
    struct source_manifest *out, struct err *err)
{
	struct err failure = ERR_INIT;
	int r = source_manifest_get(images_source(images), repository, tag, out,
	    &failure);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		*err = failure;
	return r < 0 ? r : 1;
}

static int read_index(const char *repository, const char *tag,
    const struct buf *text, source_referrer_fn *each, void *arg,
    struct err *err)
{
	CLEANUP(manifest_free_p) struct manifest *index = NULL;
	struct err reason = ERR_INIT;
	int r = manifest_parse(text->data, text->len, NULL, &index, &reason);

	if (r < 0 || index->kind != MANIFEST_INDEX) {
		log_warn("%s:%s is not a list of referrers%s%s", repository,
		    tag, r < 0 ? ": " : "", reason.msg);
		return 0;
	}
	for (size_t i = 0; i < index->entry_count && r == 0; i++)
		r = each(arg, &index->entries[i], err);
	return r;
}

int referrers_tag_read(struct images *images, const char *repository,
    const struct digest *subject, source_referrer_fn *each, void *arg,
    struct err *err)
{
	struct source_manifest fetched = {.body = BUF_INIT(0)};
	char tag[REFERRERS_TAG_SIZE];
	int r = fetch(images, repository, referrers_tag(subject, tag), &fetched,
	    err);

	if (r == 1)
		r = read_index(repository, tag, &fetched.body, each, arg, err);
	buf_release(&fetched.body);
	return r;
}

static int put(struct images *images, const char *repository, const char *tag,
    const char *media_type, const struct buf *index, struct err *err)
{
	struct digest digest;
	int r = digest_of(DIGEST_SHA256, index->data, index->len, &digest, err);

	if (r == 0)
		r = source_manifest_put(images_source(images), repository, tag,
		    media_type, index->data, index->len, &digest, err);
	if (r >= 0)
		images_tag_changed(images, repository, tag, &digest);
	return r < 0 ? r : 0;
}

/* Takes what the registry does not have any more off the list: 1, or 0 if there
 * is nothing of the kind. */
static int drop_missing(struct images *images, const char *repository,
    struct buf *index, struct err *err)
{
	CLEANUP(manifest_free_p) struct manifest *parsed = NULL;
	int r = manifest_parse(index->data, index->len, NULL, &parsed, err);
	bool any = false;

	for (size_t i = 0; r >= 0 && i < parsed->entry_count; i++) {
		const struct digest *digest = &parsed->entries[i].digest;
		AUTO_BUF struct buf without = BUF_INIT(MANIFEST_MAX_BYTES);
		char text[DIGEST_TEXT_SIZE];
		struct digest there;

		r = source_manifest_look(images_source(images), repository,
		    digest_format(digest, text), &there, ERR_IGNORE);
		if (r != 0)
			continue;
		r = index_remove(&without, index->data, index->len, digest,
		    err);
		if (r == 1) {
			struct buf was = *index;

			*index = without;
			without = was;
			any = true;
		}
	}
	return r < 0 ? r : any;
}

/* Some registries take no list with what they do not have, and who deletes may
 * have left it there. */
static int put_list(struct images *images, const char *repository,
    const char *tag, const char *media_type, struct buf *index, struct err *err)
{
	struct err refusal = ERR_INIT;
	int r = put(images, repository, tag, media_type, index, &refusal);

	if (r == -EINVAL &&
	    drop_missing(images, repository, index, ERR_IGNORE) == 1)
		return put(images, repository, tag, media_type, index, err);
	if (r < 0)
		*err = refusal;
	return r;
}

/* 0 if the list has the entry, 1 if it has been put without those that somebody
 * else may have put meanwhile. */
static int add_once(struct images *images, const char *repository,
    const char *tag, const struct descriptor *referrer, struct err *err)
{
	AUTO_BUF struct buf index = BUF_INIT(MANIFEST_MAX_BYTES);
	struct source_manifest before = {.body = BUF_INIT(0)};
	int r = fetch(images, repository, tag, &before, err);

	if (r >= 0)
		r = index_add(&index, r ? buf_str(&before.body) : NULL,
		    before.body.len, referrer, err);
	if (r == 1)
		r = put_list(images, repository, tag,
			*before.media_type ? before.media_type
					   : MEDIA_OCI_INDEX,
			&index, err) < 0
			? -err->code
			: 1;
	buf_release(&before.body);
	return r;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/*
 * A client that read the list before it was put here may still put it, without
 * the entry. That takes others about as long as it took us; then it is looked
 * whether the entry is still there.
 */
static int pause_after(int64_t took_ms, struct err *err)
{
	int64_t ms = 4 * took_ms + PAUSE_MIN_MS;
	struct timespec pause;

	if (ms > PAUSE_MAX_MS)
		ms = PAUSE_MAX_MS;
	pause = (struct timespec){ms / 1000, ms % 1000 * 1000000};
	nanosleep(&pause, NULL);
	return task_interrupted() ? err_set(err, EINTR, "interrupted") : 0;
}

static int add(struct images *images, const char *repository, const char *tag,
    const struct descriptor *referrer, struct err *err)
{
	for (int tries = 0; tries < TRIES; tries++) {
		int64_t began = now_ms();
		int r = add_once(images, repository, tag, referrer, err);

		if (r == 1)
			r = pause_after(now_ms() - began, err);
		else
			return r;
		if (r < 0)
			return r;
	}
	return err_set(err, EBUSY,
	    "the list kept changing; gave up after %d tries", TRIES);
}

/* Mounts that share a cache need not race. */
static int lock(struct images *images, const char *repository, const char *tag,
    struct err *err)
{
	AUTO_FREE char *what = strf("%s/%s:%s",
	    source_name(images_source(images)), repository, tag);
	AUTO_FREE char *name = NULL;
	struct digest digest;
	char hex[DIGEST_TEXT_SIZE];

	if (!what ||
	    digest_of(DIGEST_SHA256, what, strlen(what), &digest, err) < 0)
		return what ? -err->code : err_nomem(err);
	name = strf("referrers-%s", digest_hex(&digest, hex));
	return name ? store_derived_lock(images_store(images), name, err)
		    : err_nomem(err);
}

int referrers_tag_add(struct images *images, const char *repository,
    const struct digest *subject, const struct descriptor *referrer,
    struct err *err)
{
	char tag[REFERRERS_TAG_SIZE];
	AUTO_FD int locked =
	    lock(images, repository, referrers_tag(subject, tag), err);
	int r =
	    locked < 0 ? locked : add(images, repository, tag, referrer, err);

	return r < 0 ? err_wrap(err, "%s:%s, the list of referrers", repository,
			   tag)
		     : 0;
}

static int take_off(struct images *images, const char *repository,
    const char *tag, const struct digest *referrer, struct err *err)
{
	AUTO_BUF struct buf index = BUF_INIT(MANIFEST_MAX_BYTES);
	struct source_manifest before = {.body = BUF_INIT(0)};
	int r = fetch(images, repository, tag, &before, err);

	if (r == 1)
		r = index_remove(&index, before.body.data, before.body.len,
		    referrer, err);
	if (r == 1)
		r = put_list(images, repository, tag,
		    *before.media_type ? before.media_type : MEDIA_OCI_INDEX,
		    &index, err);
	buf_release(&before.body);
	return r;
}

int referrers_tag_remove(struct images *images, const char *repository,
    const struct digest *subject, const struct digest *referrer,
    struct err *err)
{
	char tag[REFERRERS_TAG_SIZE];
	AUTO_FD int locked =
	    lock(images, repository, referrers_tag(subject, tag), err);
	int r = locked < 0 ? locked
			   : take_off(images, repository, tag, referrer, err);

	return r < 0 ? err_wrap(err, "%s:%s, the list of referrers", repository,
			   tag)
		     : 0;
}
