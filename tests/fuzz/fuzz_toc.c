/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON of tables of contents: any input, fed whole and byte by byte, gives
 * the same index, or none for the same reason; and where there is one, each
 * file's bytes are in spans that lie in the blob.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/index_read.h"
#include "base/file.h"
#include "fuzz.h"
#include "index/limits.h"
#include "toc/fill.h"
#include "toc/json.h"

enum { BLOB_END = 1 << 20, INDEX_MAX = 1 << 30 };

static int feed(struct toc_json *json, const uint8_t *data, size_t size,
    size_t piece, struct err *err)
{
	int r = 0;

	for (size_t done = 0; r == 0 && done < size; done += piece) {
		size_t n = size - done < piece ? size - done : piece;

		r = toc_json_feed(json, data + done, n, err);
	}
	return r < 0 ? r : toc_json_end(json, err);
}

/* What comes of the input; the index goes to fd. */
static int run(const uint8_t *data, size_t size, size_t piece, int fd)
{
	CLEANUP(toc_fill_release) struct toc_fill fill;
	CLEANUP(builder_free_p) struct builder *builder = NULL;
	CLEANUP(toc_json_free_p) struct toc_json *json = NULL;
	struct layer_facts facts = {.vouching = LAYER_BY_CHUNKS,
	    .blob = {.algorithm = DIGEST_SHA256},
	    .blob_size = BLOB_END};
	struct err err = ERR_INIT;
	int r;

	if (builder_new("/tmp", &builder, &err) < 0)
		abort();
	toc_fill_init(&fill, builder, BLOB_END);
	if (toc_json_new(toc_fill_entry, &fill, &json, &err) < 0)
		abort();
	r = feed(json, data, size, piece, &err);
	if (r == 0)
		r = toc_fill_end(&fill, &err);
	if (r == 0) {
		facts.stream_size = fill.out;
		r = builder_write(builder, &facts, fd, &err);
	}
	if (r < 0 && r != -err.code)
		abort();
	return r;
}

static void check_spans(const struct layer_index *index)
{
	uint64_t out = 0;

	for (uint32_t i = 0; i < layer_index_spans(index); i++) {
		const struct layer_span span = span_in(index, i);

		if (span.out != out || span.out_len == 0 ||
		    (uint64_t)span.skip + span.out_len > CHUNK_MAX ||
		    span.in > BLOB_END || span.in_len > BLOB_END - span.in)
			abort();
		out += span.out_len;
	}
	if (out != layer_index_facts(index)->stream_size)
		abort();
}

static void check_files(const struct layer_index *index)
{
	uint64_t end = layer_index_facts(index)->stream_size;

	for (uint32_t i = 0; i < layer_index_count(index); i++) {
		const struct layer_entry entry = entry_in(index, i);

		if (S_ISREG(entry.mode) &&
		    (entry.data > end || entry.size > end - entry.data))
			abort();
	}
}

static void check_index(int fd)
{
	CLEANUP(layer_index_close_p) struct layer_index *index = NULL;
	struct err err = ERR_INIT;

	if (layer_index_open(fd, &index, &err) < 0)
		abort();
	check_spans(index);
	check_files(index);
}

static void read_all(int fd, struct buf *out)
{
	struct err err = ERR_INIT;
	off_t size = lseek(fd, 0, SEEK_END);

	if (size < 0 || buf_reserve(out, (size_t)size, &err) < 0 ||
	    file_pread(fd, out->data, (size_t)size, 0, &err) != size)
		abort();
	out->len = (size_t)size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF struct buf one = BUF_INIT(INDEX_MAX);
	AUTO_BUF struct buf other = BUF_INIT(INDEX_MAX);
	int whole = memfd_create("whole", MFD_CLOEXEC);
	AUTO_FD int bytes = memfd_create("bytes", MFD_CLOEXEC);
	int r = run(data, size, size + 1, whole);

	if (run(data, size, 1, bytes) != r)
		abort();
	if (r < 0) {
		close(whole);
		return 0;
	}
	read_all(whole, &one);
	read_all(bytes, &other);
	if (one.len != other.len || memcmp(one.data, other.data, one.len) != 0)
		abort();
	check_index(whole);
	return 0;
}
