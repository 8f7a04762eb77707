/* SPDX-License-Identifier: Apache-2.0 */
/* A table of contents that is being written. */
#include "toc_writer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "build/paths.h"
#include "index/limits.h"
#include "layer/index.h"
#include "toc_print.h"

/* The longest name, each byte of it escaped, twice, and all xattrs. */
enum { ENTRY_MAX = 16 * TAR_NAME_MAX + 2 * TAR_EXTENDED_MAX };

/* An entry that waits in the queue. */
struct pending_entry {
	struct pending_entry *next;
	char *head; /* its JSON, as far as it was known when it came */
	char *name; /* likewise */
	uint64_t size;
	struct digest digest;
	struct encoder_piece *chunks;
	size_t count, wanted;
};

struct toc_writer {
	bool is_chunked;
	uint64_t chunk_size;
	struct toc_text *text;
	uint64_t size; /* of the text so far */
	bool any;
	struct buf line;
	struct pending_entry *first, *last;
	struct buf names; /* hashes of all names */
};

static int add_text(struct toc_writer *writer, const char *data, size_t len,
    struct err *err)
{
	writer->size += len;
	if (writer->size > TOC_DECODED_MAX)
		return err_set(err, EOPNOTSUPP,
		    "there are too many files for a table");
	return toc_text_add(writer->text, data, len, err);
}

int toc_writer_new(bool is_chunked, uint64_t chunk_size,
    struct toc_writer **out, struct err *err)
{
	static const char head[] = "{\"version\":1,\"entries\":[";
	CLEANUP(toc_writer_free_p)
	struct toc_writer *writer = calloc(1, sizeof(*writer));
	int r;

	if (!writer)
		return err_nomem(err);
	writer->is_chunked = is_chunked;
	writer->chunk_size = chunk_size;
	writer->line = BUF_INIT(ENTRY_MAX);
	writer->names = BUF_INIT(LAYER_ENTRIES_MAX * sizeof(uint64_t));
	r = toc_text_new(&writer->text, err);
	if (r == 0)
		r = add_text(writer, head, strlen(head), err);
	if (r == 0)
		*out = steal(&writer);
	return r;
}

static void pending_free(struct pending_entry *pending)
{
	free(pending->head);
	free(pending->name);
	free(pending->chunks);
	free(pending);
}

DEFINE_CLEANUP(struct pending_entry *, pending_free);

void toc_writer_free(struct toc_writer *writer)
{
	if (!writer)
		return;
	while (writer->first) {
		struct pending_entry *pending = writer->first;

		writer->first = pending->next;
		pending_free(pending);
	}
	toc_text_free(writer->text);
	buf_release(&writer->line);
	buf_release(&writer->names);
	free(writer);
}

static uint64_t chunk_len(const struct toc_writer *writer,
    const struct pending_entry *pending, size_t i)
{
	uint64_t left = pending->size - i * writer->chunk_size;

	return left < writer->chunk_size ? left : writer->chunk_size;
}

/* Where a chunk is, and if it is one of several what of the file it is. */
static int add_chunk(const struct toc_writer *writer,
    const struct pending_entry *pending, size_t i, struct buf *line,
    struct err *err)
{
	const struct encoder_piece *chunk = &pending->chunks[i];
	int r = toc_print_number(line, "offset", chunk->offset, err);

	if (r == 0 && pending->count > 1) {
		r = toc_print_number(line, "chunkSize",
		    chunk_len(writer, pending, i), err);
		if (r == 0)
			r = toc_print_number(line, "chunkOffset",
			    i * writer->chunk_size, err);
	}
	/* stargz wants it for each, containers/storage only for several. */
	if (r == 0 && (pending->count > 1 || !writer->is_chunked))
		r = toc_print_digest(line, "chunkDigest", &chunk->digest, err);
	return r;
}

static int add_first_chunk(const struct toc_writer *writer,
    const struct pending_entry *pending, struct buf *line, struct err *err)
{
	const struct encoder_piece *last = &pending->chunks[pending->count - 1];
	int r = toc_print_digest(line, "digest",
	    pending->count > 1 ? &pending->digest : &last->digest, err);

	if (r == 0 && writer->is_chunked)
		r = toc_print_number(line, "endOffset",
		    last->offset + last->size, err);
	return r < 0 ? r : add_chunk(writer, pending, 0, line, err);
}

/* Writes an object that is in the line, but for its brace. */
static int write_line(struct toc_writer *writer, struct err *err)
{
	int r = buf_addstr(&writer->line, "}", err);

	if (r == 0 && writer->any)
		r = add_text(writer, ",\n", 2, err);
	if (r == 0)
		r = add_text(writer, writer->line.data, writer->line.len, err);
	buf_reset(&writer->line);
	writer->any = true;
	return r;
}

static int write_pending(struct toc_writer *writer,
    const struct pending_entry *pending, struct err *err)
{
	struct buf *line = &writer->line;
	int r = buf_addstr(line, pending->head, err);

	if (r == 0 && pending->count > 0)
		r = add_first_chunk(writer, pending, line, err);
	if (r == 0)
		r = write_line(writer, err);
	for (size_t i = 1; i < pending->count && r == 0; i++) {
		r = buf_addf(line, err, "{\"type\":\"chunk\",\"name\":%s",
		    pending->name);
		if (r == 0)
			r = add_chunk(writer, pending, i, line, err);
		if (r == 0)
			r = write_line(writer, err);
	}
	return r;
}

/* Writes what waits for nothing. */
static int drain(struct toc_writer *writer, struct err *err)
{
	int r = 0;

	while (r == 0 && writer->first &&
	       writer->first->count == writer->first->wanted) {
		struct pending_entry *pending = writer->first;

		writer->first = pending->next;
		if (!writer->first)
			writer->last = NULL;
		r = write_pending(writer, pending, err);
		pending_free(pending);
	}
	return r;
}

/* FNV-1a, 64 bits. */
static uint64_t hash_name(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return hash;
}

/* A name that is there twice is found at the end. */
static int note_name(struct toc_writer *writer, const char *name,
    struct err *err)
{
	AUTO_FREE char *clean = strdup(name);
	uint64_t hash;

	if (!clean)
		return err_nomem(err);
	paths_clean(clean);
	hash = hash_name(clean);
	return buf_add(&writer->names, &hash, sizeof(hash), err);
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return one < other ? -1 : one > other;
}

/* Of two files of one name one is hidden from some readers, and the other one
 * from others. */
static int check_names(struct toc_writer *writer, struct err *err)
{
	void *data = writer->names.data;
	uint64_t *hashes = data;
	size_t count = writer->names.len / sizeof(*hashes);

	if (count > 1)
		qsort(hashes, count, sizeof(*hashes), compare_hashes);
	for (size_t i = 1; i < count; i++)
		if (hashes[i] == hashes[i - 1])
			return err_set(err, EOPNOTSUPP, "a name occurs twice");
	return 0;
}

static int fill(struct toc_writer *writer, struct pending_entry *pending,
    const struct tar_entry *entry, struct err *err)
{
	struct buf name = BUF_INIT(ENTRY_MAX);
	struct buf head = BUF_INIT(ENTRY_MAX);
	int r = toc_print_string(&name, entry->name, err);

	if (r == 0)
		r = toc_print_entry(&head, entry, err);
	pending->name = buf_steal(&name);
	pending->head = buf_steal(&head);
	if (r == 0 && (!pending->name || !pending->head))
		return err_nomem(err);
	pending->size = entry->size;
	pending->wanted =
	    (entry->size + writer->chunk_size - 1) / writer->chunk_size;
	return r;
}

int toc_writer_add(struct toc_writer *writer, const struct tar_entry *entry,
    struct err *err)
{
	CLEANUP(pending_free_p)
	struct pending_entry *pending = calloc(1, sizeof(*pending));
	int r = pending ? note_name(writer, entry->name, err) : err_nomem(err);

	if (r == 0)
		r = fill(writer, pending, entry, err);
	if (r < 0)
		return r;
	if (writer->last)
		writer->last->next = pending;
	else
		writer->first = pending;
	writer->last = steal(&pending);
	return drain(writer, err);
}

void toc_writer_set_digest(struct toc_writer *writer,
    const struct digest *digest)
{
	/* Its last chunk is still to come. */
	assert(writer->last);
	writer->last->digest = *digest;
}

int toc_writer_add_chunk(struct toc_writer *writer,
    const struct encoder_piece *chunk, struct err *err)
{
	struct pending_entry *pending = writer->first;

	assert(pending && pending->count < pending->wanted);
	if (!pending->chunks)
		pending->chunks =
		    calloc(pending->wanted, sizeof(*pending->chunks));
	if (!pending->chunks)
		return err_nomem(err);
	pending->chunks[pending->count++] = *chunk;
	return drain(writer, err);
}

int toc_writer_end(struct toc_writer *writer, const struct digest *tar_split,
    const struct buf **out, uint64_t *size, struct err *err)
{
	struct buf *line = &writer->line;
	int r = check_names(writer, err);

	assert(!writer->first);
	if (r == 0)
		r = buf_addstr(line, "]", err);
	if (r == 0 && tar_split)
		r = toc_print_digest(line, "tarSplitDigest", tar_split, err);
	if (r == 0)
		r = buf_addstr(line, "}", err);
	if (r == 0)
		r = add_text(writer, line->data, line->len, err);
	return r < 0 ? r : toc_text_end(writer->text, out, size, err);
}
