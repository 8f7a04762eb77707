/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the entries of a table of contents mean.
 *
 * A file's entry is its first chunk, too; the others follow it. A chunk says
 * where in the blob it begins. It ends where the next one does, of any file, or
 * where the file's entry says that the file ends. So a chunk waits for what
 * comes after it. Where eStargz puts small chunks together in one member, they
 * wait together.
 */
#include "fill.h"

#include <errno.h>
#include <string.h>

#include "index/limits.h"
#include "toc.h"

/* Chunks of one member: a header stands before each. */
enum { PENDING_MAX = SPAN_OUT_MAX / TAR_BLOCK + 1 };

void toc_fill_init(struct toc_fill *fill, struct builder *builder,
    uint64_t blob_end)
{
	*fill = (struct toc_fill){
	    .builder = builder,
	    .blob_end = blob_end,
	    .pending = BUF_INIT(PENDING_MAX * sizeof(struct layer_span)),
	};
}

void toc_fill_release(struct toc_fill *fill)
{
	buf_release(&fill->pending);
}

static struct layer_span *pending_spans(const struct toc_fill *fill)
{
	void *data = fill->pending.data;

	return data;
}

static bool is_pending(const struct toc_fill *fill)
{
	return fill->pending.len > 0;
}

static int add_span(struct toc_fill *fill, const struct layer_span *span,
    struct err *err)
{
	return builder_add_span(fill->builder, span, NULL, 0, err);
}

/*
 * Bytes of the blob that can decode to n bytes: encoders expand by one part in
 * thousands what they cannot compress, or by more if a block ends after every
 * few bytes. What a chunk's range has beyond that are headers of other entries,
 * which can be thousands without data between them.
 */
static uint64_t in_max(uint64_t n)
{
	return n + n / 8 + (64 << 10);
}

/* What waits ends at that place in the blob. */
static int end_pending(struct toc_fill *fill, uint64_t end, struct err *err)
{
	struct layer_span *spans = pending_spans(fill);
	size_t count = fill->pending.len / sizeof(*spans);

	for (size_t i = 0; i < count; i++) {
		struct layer_span *span = &spans[i];
		uint64_t most = in_max((uint64_t)span->skip + span->out_len);
		uint64_t len = end - span->in;
		int r;

		if (end <= span->in || end > fill->blob_end)
			return err_set(err, EINVAL,
			    "the chunk before it has no place in the blob");
		span->in_len = (uint32_t)(len < most ? len : most);
		r = add_span(fill, span, err);
		if (r < 0)
			return r;
	}
	buf_reset(&fill->pending);
	return 0;
}

/* The blob has zeros, too, where it says that a chunk is zeros: what waits
 * ends there. */
static int add_zeros(struct toc_fill *fill, uint64_t in, uint64_t size,
    struct err *err)
{
	int r = end_pending(fill, in, err);

	while (r == 0 && size > 0) {
		uint32_t len =
		    size < SPAN_OUT_MAX ? (uint32_t)size : SPAN_OUT_MAX;
		struct layer_span span = {
		    .out = fill->out,
		    .out_len = len,
		    .flags = SPAN_ZEROS,
		};

		r = add_span(fill, &span, err);
		fill->out += len;
		size -= len;
	}
	return r;
}

/* Of that chunk, or of the file where the chunk is all of it. */
static const struct digest *chunk_digest(const struct toc_fill *fill,
    const struct toc_entry *entry, uint64_t size)
{
	if (!digest_is_set(&entry->chunk_digest) && size == fill->size)
		return &entry->digest;
	return &entry->chunk_digest;
}

static int add_pending(struct toc_fill *fill, const struct toc_entry *entry,
    uint64_t size, struct err *err)
{
	const struct digest *digest = chunk_digest(fill, entry, size);
	struct layer_span span = {
	    .in = entry->offset,
	    .out = fill->out,
	    .out_len = (uint32_t)size,
	    .skip = (uint32_t)entry->inner_offset,
	    .flags = SPAN_AT_MEMBER,
	};

	if (digest->algorithm != DIGEST_SHA256)
		return err_set(err, EINVAL, "a chunk has no sha256 digest");
	if (size > CHUNK_MAX || entry->inner_offset > CHUNK_MAX - size)
		return err_set(err, EINVAL, "a chunk is too large");
	/* A header stands in front of all data. */
	if (entry->offset == 0 && entry->inner_offset == 0)
		return err_set(err, EINVAL, "a chunk has no offset");
	memcpy(span.sha256, digest->bytes, sizeof(span.sha256));
	fill->out += size;
	return buf_add(&fill->pending, &span, sizeof(span), err);
}

/* A chunk of the file: that of its own entry, or another one. */
static int take_chunk(struct toc_fill *fill, const struct toc_entry *entry,
    struct err *err)
{
	uint64_t size = entry->chunk_size ? entry->chunk_size : fill->left;
	int r = 0;

	if (entry->chunk_offset != fill->size - fill->left ||
	    size > fill->left || size == 0)
		return err_set(err, EINVAL,
		    "a chunk does not follow the one before it");
	fill->left -= size;
	if (entry->is_zeros && !fill->hidden)
		return add_zeros(fill, entry->offset, size, err);
	if (is_pending(fill) && pending_spans(fill)->in != entry->offset)
		r = end_pending(fill, entry->offset, err);
	if (r == 0 && !fill->hidden)
		r = add_pending(fill, entry, size, err);
	if (r == 0 && fill->left == 0 && fill->file_end > 0)
		r = end_pending(fill, fill->file_end, err);
	return r;
}

/* What eStargz adds to a layer for readers that know it: how much to read
 * ahead, and the table itself. */
static bool is_landmark(const struct toc_entry *entry)
{
	static const char *const names[] = {".prefetch.landmark",
	    ".no.prefetch.landmark", "stargz.index.json"};
	const char *name = entry->name;

	while (*name == '/' || strncmp(name, "./", 2) == 0)
		name++;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int add_entry(struct toc_fill *fill, const struct toc_entry *entry,
    struct err *err)
{
	/* Owners and devices are cut to what their system calls take, as in
	 * tars. */
	struct tar_entry out = {
	    .type = entry->type,
	    .name = entry->name,
	    .link = entry->link,
	    .size = fill->size,
	    .file_size = fill->size,
	    .offset = fill->out,
	    .mode = (uint32_t)entry->mode & 07777,
	    .uid = (uint32_t)entry->uid,
	    .gid = (uint32_t)entry->gid,
	    .mtime = entry->mtime,
	    .mtime_nanos = entry->mtime_nanos,
	    .dev_major = (uint32_t)entry->dev_major,
	    .dev_minor = (uint32_t)entry->dev_minor,
	    .xattrs = entry->xattrs,
	    .xattr_count = entry->xattr_count,
	};

	return builder_add(fill->builder, &out, err);
}

static int begin_file(struct toc_fill *fill, const struct toc_entry *entry,
    struct err *err)
{
	if (entry->size > LAYER_STREAM_MAX - fill->out)
		return err_set(err, EINVAL, "the file is too large");
	fill->size = fill->left = entry->size;
	fill->file_end = entry->end_offset;
	fill->hidden = is_landmark(entry);
	return 0;
}

int toc_fill_entry(void *arg, const struct toc_entry *entry, struct err *err)
{
	struct toc_fill *fill = arg;
	int r = 0;

	if (entry->is_chunk)
		return take_chunk(fill, entry, err);
	if (fill->left > 0)
		return err_set(err, EINVAL, "the file before it lacks chunks");
	if (!entry->type || !*entry->name)
		return err_set(err, EINVAL, "the name or the type is missing");
	fill->size = 0;
	fill->hidden = false;
	if (entry->type == TAR_FILE)
		r = begin_file(fill, entry, err);
	if (r == 0 && !fill->hidden)
		r = add_entry(fill, entry, err);
	if (r == 0 && fill->left > 0)
		r = take_chunk(fill, entry, err);
	return r;
}

int toc_fill_end(struct toc_fill *fill, struct err *err)
{
	if (fill->left > 0)
		return err_set(err, EINVAL, "the last file lacks chunks");
	return end_pending(fill, fill->blob_end, err);
}
