/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads an archive while it is being written.
 *
 *	bytes as written -> [decoder -> temporary file] -> walker -> entries
 *
 * What is in brackets is there for compressed archives only.
 */
#include "archive/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "base/container.h"
#include "base/file.h"
#include "entries.h"
#include "stream/compression.h"
#include "tar/walker.h"

/* A compressed archive fills the disk with no more than this: several times
 * the largest images that are known. */
#define DECODED_MAX (UINT64_C(1) << 38)

enum {
	PIECE = 256 << 10,
	SKIPPED = 64 << 10,
	/* Each is a read of the whole archive. */
	WALKS_MAX = 4,
};

/* A file that will be reported as a layer if it begins like one. */
struct layer_start {
	const struct archive_entry *file; /* NULL: none */
	size_t len;
	char head[TAR_BLOCK];
};

struct archive_reader {
	struct sink decoded; /* first: what the decoder writes to */
	struct archive_reader_options options;

	char head[COMPRESSION_MAGIC_BYTES]; /* of the bytes as written */
	size_t head_len;

	struct decoder *decoder; /* NULL: a plain tar, or not known yet */
	int temp_fd;             /* -1, or where the plain tar goes */

	struct tar_walker *walker;
	bool tar_ended;
	bool has_entries;
	bool has_blobs; /* files with names that parts of images have */
	struct entries entries;
	struct layer_start candidate;
	uint64_t body_end;     /* of the last file: where its bytes end */
	_Atomic uint64_t size; /* of the plain tar so far, to its end */
};

/* Whether a file that begins like this is a layer. */
static bool is_layer(const char *head, size_t len)
{
	return compression_sniff(head, len) != COMPRESSION_NONE ||
	       tar_sniff(head, len);
}

static int on_entry(void *arg, const struct tar_entry *entry, struct err *err)
{
	struct archive_reader *reader = arg;
	const struct archive_entry *file;
	int r;

	if (reader->options.entry)
		reader->options.entry(reader->options.arg, entry);
	r = entries_add(&reader->entries, entry, &file, err);
	if (r < 0)
		return r;
	if (entry->type == TAR_FILE)
		reader->body_end = entry->offset + entry->size;
	reader->has_entries = true;
	reader->candidate.file = NULL;
	if (!file || !entries_is_blob_name(file->name))
		return 0;
	reader->has_blobs = true;
	if (reader->options.layer) {
		reader->candidate.file = file;
		reader->candidate.len = 0;
	}
	return 0;
}

static int on_data(void *arg, const void *data, size_t len, struct err *err)
{
	struct archive_reader *reader = arg;
	struct layer_start *candidate = &reader->candidate;
	const struct archive_entry *file = candidate->file;
	size_t room = sizeof(candidate->head) - candidate->len;
	size_t n = len < room ? len : room;

	(void)err;
	if (!file)
		return 0;
	memcpy(candidate->head + candidate->len, data, n);
	candidate->len += n;
	if (candidate->len < sizeof(candidate->head) &&
	    candidate->len < file->size)
		return 0;
	candidate->file = NULL;
	if (is_layer(candidate->head, candidate->len))
		reader->options.layer(reader->options.arg, file);
	return 0;
}

static bool all_zero(const char *data, size_t len)
{
	return len == 0 ||
	       (data[0] == 0 && memcmp(data, data + 1, len - 1) == 0);
}

/* Walks the next bytes of the plain tar; they are in its file already. */
static int walk(struct archive_reader *reader, const char *data, size_t len,
    struct err *err)
{
	size_t used = 0;
	int r;

	if (!reader->tar_ended) {
		atomic_fetch_add(&reader->size, len);
		r = tar_walker_feed(reader->walker, data, len, &used, err);
		if (r < 0 && !reader->has_entries)
			return err_wrap(err, "this is not an image archive");
		if (r <= 0)
			return r;
		reader->tar_ended = true;
		atomic_store(&reader->size, tar_walker_offset(reader->walker));
		if (!reader->has_entries)
			return err_set(err, EINVAL, "the archive is empty");
	}
	if (!all_zero(data + used, len - used))
		return err_set(err, EINVAL,
		    "there is data after the archive's end at byte %" PRIu64,
		    tar_walker_offset(reader->walker));
	return 0;
}

/* The decoder's sink. */
static int take_decoded(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct archive_reader *reader =
	    container_of(sink, struct archive_reader, decoded);
	int r = 0;

	if (!reader->tar_ended)
		r = file_pwrite(reader->temp_fd, data, len, reader->size, err);
	return r < 0 ? r : walk(reader, data, len, err);
}

int archive_reader_new(const struct archive_reader_options *options,
    struct archive_reader **out, struct err *err)
{
	CLEANUP(archive_reader_free_p)
	struct archive_reader *reader = calloc(1, sizeof(*reader));
	struct tar_handler handler = {on_entry, on_data, reader};
	int r;

	if (!reader)
		return err_nomem(err);
	reader->decoded.write = take_decoded;
	reader->options = *options;
	reader->temp_fd = -1;
	r = tar_walker_new(&handler, &reader->walker, err);
	if (r < 0)
		return r;
	*out = steal(&reader);
	return 0;
}

void archive_reader_free(struct archive_reader *reader)
{
	if (!reader)
		return;
	cleanup_fd(&reader->temp_fd);
	decoder_free(reader->decoder);
	tar_walker_free(reader->walker);
	entries_release(&reader->entries);
	free(reader);
}

/* The first bytes are there: makes the decoder if they ask for one. */
static int begin(struct archive_reader *reader, struct err *err)
{
	enum compression compression =
	    compression_sniff(reader->head, reader->head_len);
	int r;

	if (compression == COMPRESSION_NONE)
		return 0;
	r = file_temp(reader->options.temp_dir, err);
	if (r < 0)
		return r;
	reader->temp_fd = r;
	return decoder_new(compression, &reader->decoded, DECODED_MAX,
	    &reader->decoder, err);
}

static int take(struct archive_reader *reader, const char *data, size_t len,
    struct err *err)
{
	if (reader->decoder)
		return decoder_write(reader->decoder, data, len, err);
	return walk(reader, data, len, err);
}

static bool complete(const struct archive_reader *reader)
{
	return reader->tar_ended &&
	       (!reader->decoder || decoder_at_end(reader->decoder));
}

int archive_reader_feed(struct archive_reader *reader, const void *data,
    size_t len, struct err *err)
{
	size_t missing = sizeof(reader->head) - reader->head_len;
	size_t n = len < missing ? len : missing;
	int r;

	if (missing > 0) {
		memcpy(reader->head + reader->head_len, data, n);
		reader->head_len += n;
		if (n < missing)
			return 0;
		r = begin(reader, err);
		if (r == 0)
			r = take(reader, reader->head, reader->head_len, err);
		if (r < 0)
			return r;
	}
	r = take(reader, (const char *)data + n, len - n, err);
	return r < 0 ? r : complete(reader);
}

static bool names_an_image(const struct archive_reader *reader)
{
	struct archive_entry entry;

	return entries_find(&reader->entries, "manifest.json", &entry) ||
	       entries_find(&reader->entries, "index.json", &entry);
}

int archive_reader_end(struct archive_reader *reader, bool is_last,
    struct err *err)
{
	if (reader->head_len == 0)
		return 0;
	if (complete(reader))
		return 1;
	if (reader->head_len < sizeof(reader->head))
		return err_set(err, EINVAL, "this is not an image archive");
	if (reader->decoder && !decoder_at_end(reader->decoder))
		return err_set(err, EINVAL,
		    "the compressed archive is truncated");
	if (names_an_image(reader) && tar_walker_between(reader->walker))
		return 1;
	/* An image's archive is hardly a root file system up to its manifest.
	 */
	if (!tar_walker_between(reader->walker) || !reader->has_entries ||
	    reader->has_blobs)
		return err_set(err, EINVAL,
		    "the archive is truncated at byte %" PRIu64,
		    tar_walker_offset(reader->walker));
	return is_last;
}

/* The next bytes at `at`, which are read unless they are a file's: then zeros
 * stand for them, as the walker does not look at those. How many, 0 at the
 * end. */
static ssize_t skim_piece(const struct archive_reader *reader, uint64_t at,
    uint64_t size, char block[TAR_BLOCK], const char **data, struct err *err)
{
	static const char zeros[SKIPPED];
	uint64_t end = reader->body_end < size ? reader->body_end : size;

	if (at < end) {
		*data = zeros;
		return end - at < SKIPPED ? (ssize_t)(end - at) : SKIPPED;
	}
	*data = block;
	return file_pread(reader->options.fd, block, TAR_BLOCK, at, err);
}

int archive_reader_skim(struct archive_reader *reader, uint64_t size,
    struct err *err)
{
	char block[TAR_BLOCK];
	const char *data;
	uint64_t at = 0;
	int r = 0;

	while (r == 0) {
		ssize_t n = skim_piece(reader, at, size, block, &data, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		if (at == 0 &&
		    compression_sniff(data, (size_t)n) != COMPRESSION_NONE)
			return err_set(err, EINVAL,
			    "it is compressed, and only what is not can be "
			    "read in part: unpack it first");
		r = archive_reader_feed(reader, data, (size_t)n, err);
		at += (uint64_t)n;
	}
	if (r == 0)
		r = archive_reader_end(reader, true, err);
	return r == 0  ? err_set(err, EINVAL, "the archive is empty")
	       : r < 0 ? r
		       : 0;
}

int archive_reader_fd(const struct archive_reader *reader)
{
	return reader->decoder ? reader->temp_fd : reader->options.fd;
}

uint64_t archive_reader_size(const struct archive_reader *reader)
{
	return reader->size;
}

bool archive_reader_is_plain(const struct archive_reader *reader)
{
	return tar_walker_is_plain(reader->walker);
}

bool archive_reader_find(const struct archive_reader *reader, const char *name,
    struct archive_entry *out)
{
	return entries_find(&reader->entries, name, out);
}

bool archive_reader_has_blobs(const struct archive_reader *reader)
{
	return reader->has_blobs;
}

static int on_entry_again(void *arg, const struct tar_entry *entry,
    struct err *err)
{
	struct archive_reader *reader = arg;

	return entries_add_wanted(&reader->entries, entry, err);
}

/* Walks all of the plain tar for what is wanted now. */
static int walk_again(struct archive_reader *reader, struct err *err)
{
	const struct tar_handler handler = {.entry = on_entry_again,
	    .arg = reader};
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	AUTO_FREE char *piece = malloc(PIECE);
	int r = piece ? tar_walker_new(&handler, &walker, err) : err_nomem(err);

	for (uint64_t done = 0; r == 0 && done < reader->size;) {
		uint64_t left = reader->size - done;
		ssize_t n = file_pread(archive_reader_fd(reader), piece,
		    left < PIECE ? (size_t)left : PIECE, done, err);

		if (n <= 0)
			return n < 0 ? (int)n
				     : err_set(err, EIO,
					   "unexpected end of file");
		r = tar_walker_feed(walker, piece, (size_t)n, NULL, err);
		done += (uint64_t)n;
	}
	return r < 0 ? r : 0;
}

int archive_reader_look_for(struct archive_reader *reader,
    const char *const *names, size_t count, struct err *err)
{
	/* Links of links lead on, but not for ever. */
	for (int walks = 0; walks < WALKS_MAX; walks++) {
		int missing = 0;

		for (size_t i = 0; i < count; i++) {
			int r = entries_want(&reader->entries, names[i], err);

			if (r < 0)
				return r;
			missing += r;
		}
		if (missing == 0)
			return 0;
		if (walk_again(reader, err) < 0)
			return -err->code;
	}
	return 0;
}
