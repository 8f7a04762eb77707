/* SPDX-License-Identifier: Apache-2.0 */
/* Files that change an image when they are closed, and what tells them. */
#include <errno.h>
#include <string.h>

#include "image/change.h"
#include "node/intent.h"
#include "node/mount.h"
#include "stream/compression.h"
#include "written.h"

static struct tag_ref tag_of(const struct write_intent *intent)
{
	return (struct tag_ref){.images = intent->source->images,
	    .repository = intent->repository,
	    .tag = intent->tag};
}

int content_read(const struct write_content *file, struct buf *out,
    struct err *err)
{
	uint64_t size = spool_size(file->spool);
	ssize_t n;
	int r;

	if (size > out->limit)
		return err_set(err, EFBIG, "the file is too large (%llu bytes)",
		    (unsigned long long)size);
	r = buf_reserve(out, (size_t)size, err);
	if (r < 0)
		return r;
	n = spool_read(file->spool, out->data, (size_t)size, 0, err);
	if (n < 0)
		return (int)n;
	out->len = (size_t)n;
	out->data[out->len] = '\0';
	return 0;
}

/* What is said of a change that was not made. */
static int outcome(int r, const struct write_intent *intent, struct err *err)
{
	return r < 0 ? err_wrap(err, "changing %s:%s", intent->repository,
			   intent->tag)
		     : 1;
}

static int apply_layer(const struct write_intent *intent,
    const struct write_content *file, struct err *err)
{
	const struct tag_ref tag = tag_of(intent);

	return outcome(change_add_layer(&tag, file->spool, file->name, err),
	    intent, err);
}

static int apply_config(const struct write_intent *intent,
    const struct write_content *file, struct err *err)
{
	const struct tag_ref tag = tag_of(intent);
	AUTO_BUF struct buf config = BUF_INIT(CONFIG_MAX_BYTES);
	int r = content_read(file, &config, err);

	if (r == 0)
		r = change_config(&tag, config.data, config.len, err);
	return outcome(r, intent, err);
}

static int put_manifest(const struct write_intent *intent,
    const struct write_content *file, bool is_top, struct err *err)
{
	const struct tag_ref tag = tag_of(intent);
	AUTO_BUF struct buf manifest = BUF_INIT(MANIFEST_MAX_BYTES);
	int r = content_read(file, &manifest, err);

	if (r == 0)
		r = change_manifest(&tag, manifest.data, manifest.len, is_top,
		    err);
	return outcome(r, intent, err);
}

static int apply_manifest(const struct write_intent *intent,
    const struct write_content *file, struct err *err)
{
	return put_manifest(intent, file, false, err);
}

static int apply_index(const struct write_intent *intent,
    const struct write_content *file, struct err *err)
{
	return put_manifest(intent, file, true, err);
}

static int apply_platform(const struct write_intent *intent,
    const struct write_content *file, struct err *err)
{
	const struct tag_ref tag = tag_of(intent);
	struct platform platform;
	int r = 0;

	if (intent->detail)
		r = platform_parse(&platform, intent->detail, err);
	if (r == 0)
		r = change_platform(&tag, file->pushed,
		    intent->detail ? &platform : NULL, err);
	return outcome(r, intent, err);
}

const struct write_kind write_archive = {.is_archive = true};
const struct write_kind write_layer = {.apply = apply_layer};
const struct write_kind write_config = {.apply = apply_config};
const struct write_kind write_manifest = {.apply = apply_manifest};
const struct write_kind write_index = {.apply = apply_index};
const struct write_kind write_platform = {
    .is_archive = true,
    .is_untagged = true,
    .apply = apply_platform,
};

/* Whether its first bytes are those of an archive, compressed or not. */
static bool is_archive(struct written_file *file)
{
	static const char magic[] = "ustar";
	enum { MAGIC_AT = 257 };
	char head[MAGIC_AT + sizeof(magic) - 1];
	ssize_t n = spool_read(file->spool, head, sizeof(head), 0, ERR_IGNORE);

	if (n <= 0)
		return false;
	return compression_sniff(head, (size_t)n) != COMPRESSION_NONE ||
	       ((size_t)n == sizeof(head) &&
		   memcmp(head + MAGIC_AT, magic, sizeof(magic) - 1) == 0);
}

void written_file_settle_kind(struct written_file *file, bool moved)
{
	struct write_intent *intent = &file->intent;

	if (intent_may_be_archive(intent, file->name, moved) &&
	    (moved || !file->temporary) && is_archive(file))
		intent->effect = WRITE_ARCHIVE;
}
