/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pass over a whole layer:
 *
 *	blob ── decoder ── (stream file) ── tar walker ── builder
 *	            └── checkpoints ── cutter ── builder
 */
#include "pass.h"

#include <errno.h>
#include <string.h>

#include "base/container.h"
#include "base/file.h"
#include "base/log.h"
#include "cutter.h"
#include "index/limits.h"
#include "tar/walker.h"

/* Enough that calls cost nothing, and little enough for several passes. */
enum { PIECE = 256 << 10 };

struct pass {
	struct sink sink; /* takes the decoded stream */
	const struct pass_job *job;
	struct builder *builder;
	struct cutter cutter; /* unless the stream is kept */
	enum compression compression;
	struct decoder *decoder; /* NULL: there is nothing to decode */
	struct tar_walker *walker;
	uint64_t done; /* bytes of the blob that were decoded */
	bool tar_ended;
	uint64_t out; /* decoded so far, to the tar's end */

	/* Of a stream that is to be kept whole, else NULL; and where, as long
	 * as the disk has room for it, else -1. */
	struct hasher *hasher;
	int stream_fd;

	struct hasher *check; /* of the blob; NULL: the store checks it */
};

static void pass_release(struct pass *pass)
{
	decoder_free(pass->decoder);
	tar_walker_free(pass->walker);
	hasher_free_p(&pass->hasher);
	hasher_free_p(&pass->check);
	if (pass->stream_fd >= 0)
		close(pass->stream_fd);
}

static int take_entry(void *arg, const struct tar_entry *entry, struct err *err)
{
	struct pass *pass = arg;

	return builder_add(pass->builder, entry, err);
}

/* What was wrong with what is in a layer is an error of its reading. */
static int no_layer(int r, struct err *err)
{
	if (r == -EINVAL || r == -EFBIG)
		err->code = EIO;
	return r < 0 ? -err->code : r;
}

static int keep_stream(struct pass *pass, const void *data, size_t len,
    struct err *err)
{
	struct err failure = ERR_INIT;

	if (pass->stream_fd >= 0 &&
	    file_pwrite(pass->stream_fd, data, len, pass->out, &failure) < 0) {
		log_debug(LOG_STORE, "a layer is not kept decoded: %s",
		    failure.msg);
		cleanup_fd(&pass->stream_fd);
		pass->stream_fd = -1;
	}
	return hasher_update(pass->hasher, data, len, err);
}

static int take_decoded(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct pass *pass = container_of(sink, struct pass, sink);
	size_t used = len;
	int r;

	/* What follows the tar's end is no file's, and can be a thousand times
	 * as much. */
	if (pass->tar_ended)
		return 0;
	r = tar_walker_feed(pass->walker, data, len, &used, err);
	if (r < 0)
		return r;
	pass->tar_ended = r == 1;
	r = pass->hasher ? keep_stream(pass, data, used, err)
			 : cutter_check(&pass->cutter, pass->out + used, err);
	pass->out += used;
	return r;
}

static int take_checkpoint(void *arg, const struct checkpoint *point,
    struct err *err)
{
	struct pass *pass = arg;
	struct checkpoint at = *point;

	/* The last span ends with the tar. */
	if (pass->tar_ended)
		at.out = pass->out;
	return cutter_cut(&pass->cutter, &at, err);
}

/* A plain tar can be entered anywhere. */
static int take_plain(struct pass *pass, const uint8_t *data, size_t len,
    struct err *err)
{
	int r = 0;

	while (r == 0 && len > 0 && !pass->tar_ended) {
		size_t left = SPAN_DISTANCE - pass->out % SPAN_DISTANCE;
		size_t now = len < left ? len : left;

		if (left == SPAN_DISTANCE) {
			const struct checkpoint here = {.in = pass->out,
			    .out = pass->out};

			r = cutter_cut(&pass->cutter, &here, err);
		}
		if (r == 0)
			r = take_decoded(&pass->sink, data, now, err);
		data += now;
		len -= now;
	}
	return r;
}

static int take_piece(struct pass *pass, const uint8_t *data, size_t len,
    struct err *err)
{
	if (!pass->decoder)
		return take_plain(pass, data, len, err);
	return decoder_write(pass->decoder, data, len, err);
}

static int check_wanted(const struct pass *pass, uint64_t done, struct err *err)
{
	return pass->job->wanted(pass->job->arg, done)
		   ? 0
		   : err_set(err, ECANCELED,
			 "no reader waits for the index any more");
}

/* What reaches the blob's end is there when the digest is right. */
static ssize_t read_piece(struct pass *pass, uint8_t *piece, struct err *err)
{
	int r = check_wanted(pass, pass->done, err);

	return r < 0
		   ? r
		   : blob_read(pass->job->blob, piece, PIECE, pass->done, err);
}

/* A blob that was there before was verified by the process that put it there,
 * which may be long ago: an index vouches for its bytes from now on. */
static int begin_check(struct pass *pass, struct err *err)
{
	if (!blob_verified(pass->job->blob))
		return 0;
	pass->check = hasher_new(pass->job->digest->algorithm, err);
	return pass->check ? 0 : -err->code;
}

static int end_check(struct pass *pass, struct err *err)
{
	char wanted[DIGEST_TEXT_SIZE], found[DIGEST_TEXT_SIZE];
	struct digest digest;
	int r = pass->check ? hasher_finish(pass->check, &digest, err) : 0;

	if (r < 0 || !pass->check || digest_equal(&digest, pass->job->digest))
		return r;
	return err_set(err, EBADMSG,
	    "blob %s is damaged in the cache, its bytes have the digest %s",
	    digest_format(pass->job->digest, wanted),
	    digest_format(&digest, found));
}

/* Waits until the whole blob is there, as long as it is wanted: a decoder with
 * a large window does not wait for the network. */
static int await_blob(void *arg, struct err *err)
{
	struct pass *pass = arg;
	const struct pass_job *job = pass->job;
	uint64_t size = blob_size(job->blob);
	char byte;

	for (uint64_t end = pass->done; end < size;) {
		ssize_t n;

		end = size - end > PIECE ? end + PIECE : size;
		if (check_wanted(pass, end, err) < 0)
			return -err->code;
		n = blob_read(job->blob, &byte, 1, end - 1, err);
		if (n < 0)
			return (int)n;
	}
	return 0;
}

static int read_all(struct pass *pass, struct err *err)
{
	AUTO_FREE uint8_t *piece = malloc(PIECE);
	struct err reason = ERR_INIT;
	ssize_t n;
	int r = 0;

	if (!piece)
		return err_nomem(err);
	while ((n = read_piece(pass, piece, err)) > 0) {
		if (r == 0)
			r = no_layer(take_piece(pass, piece, (size_t)n,
					 &reason),
			    &reason);
		/* What makes no sense may not be the blob: its end tells. Else
		 * it would stay in the store, and be read the next time. */
		if (r < 0 && r != -EIO)
			break;
		if (pass->check &&
		    hasher_update(pass->check, piece, (size_t)n, err) < 0)
			return -err->code;
		pass->done += (uint64_t)n;
	}
	if (n < 0)
		return (int)n;
	if (n == 0 && end_check(pass, err) < 0)
		return -err->code;
	if (r < 0)
		*err = reason;
	return r;
}

static uint64_t distance(const struct pass_job *job)
{
	uint64_t distance = blob_size(job->blob) / SPANS_MANY;

	if (distance < SPAN_DISTANCE)
		return SPAN_DISTANCE;
	return distance < SPAN_DISTANCE_MAX ? distance : SPAN_DISTANCE_MAX;
}

/* What takes so long to decode that no read is to wait for a span of it. */
static bool is_slow(enum compression compression)
{
	return compression == COMPRESSION_BZIP2 ||
	       compression == COMPRESSION_XZ;
}

static int begin(struct pass *pass, struct err *err)
{
	struct tar_handler handler = {.entry = take_entry, .arg = pass};
	uint8_t head[COMPRESSION_MAGIC_BYTES];
	ssize_t n = blob_read(pass->job->blob, head, sizeof(head), 0, err);
	int r;

	if (n < 0)
		return (int)n;
	r = tar_walker_new(&handler, &pass->walker, err);
	if (r < 0)
		return r;
	pass->compression = compression_sniff(head, (size_t)n);
	if (pass->compression == COMPRESSION_NONE)
		return 0;
	if (is_slow(pass->compression) && !pass->hasher)
		return err_set(err, EOVERFLOW,
		    "the stream can only be decoded from its start");
	r = decoder_new(pass->compression, &pass->sink,
	    pass->hasher ? LAYER_KEPT_MAX : LAYER_STREAM_MAX, &pass->decoder,
	    err);
	if (r == 0)
		decoder_share(pass->decoder, &windows_of_layers, await_blob,
		    pass);
	if (r == 0 && !pass->hasher)
		decoder_mark(pass->decoder, distance(pass->job),
		    take_checkpoint, pass);
	return r;
}

static int begin_stream(struct pass *pass, struct err *err)
{
	pass->hasher = hasher_new(DIGEST_SHA256, err);
	if (!pass->hasher)
		return -err->code;
	pass->stream_fd = store_temp(pass->job->store, ERR_IGNORE);
	return 0;
}

/* Engines miss neither the end marker nor the padding of the last entry. Where
 * data is missing, the one who reads that file is told; but where a header is,
 * nobody knows what the layer has. */
static int check_end(const struct pass *pass, struct err *err)
{
	bool decoded = !pass->decoder || decoder_at_end(pass->decoder) ||
		       blob_size(pass->job->blob) == 0;

	if (!decoded || tar_walker_lacks(pass->walker) == TAR_LACKS_HEADER)
		return err_set(err, EIO, "the layer's tar is truncated");
	return 0;
}

static int end_stream(struct pass *pass, struct layer_facts *facts,
    struct err *err)
{
	int r = hasher_finish(pass->hasher, &facts->stream, err);
	struct err failure = ERR_INIT;

	if (r == 0 && pass->stream_fd >= 0 &&
	    store_adopt(pass->job->store, pass->stream_fd, pass->out,
		&facts->stream, &failure) < 0)
		log_debug(LOG_STORE, "%s", failure.msg);
	facts->vouching = LAYER_BY_STREAM;
	return r;
}

static int end(struct pass *pass, struct layer_facts *facts, struct err *err)
{
	/* A plain tar's bytes are the blob's. */
	const struct checkpoint last = {.in = pass->decoder
						  ? blob_size(pass->job->blob)
						  : pass->out,
	    .out = pass->out};

	if (check_end(pass, err) < 0)
		return -err->code;
	*facts = (struct layer_facts){
	    .vouching = LAYER_BY_SPANS,
	    .compression = pass->compression,
	    .blob = *pass->job->digest,
	    .blob_size = blob_size(pass->job->blob),
	    .stream_size = pass->out,
	};
	return pass->hasher ? end_stream(pass, facts, err)
			    : cutter_cut(&pass->cutter, &last, err);
}

int pass_run(const struct pass_job *job, bool whole_stream,
    struct builder *builder, struct layer_facts *facts, struct err *err)
{
	CLEANUP(pass_release)
	struct pass pass = {
	    .sink = {take_decoded},
	    .job = job,
	    .builder = builder,
	    .cutter = {.blob = job->blob, .builder = builder},
	    .stream_fd = -1,
	};
	int r = whole_stream ? begin_stream(&pass, err) : 0;

	if (r == 0)
		r = begin(&pass, err);
	if (r == 0)
		r = begin_check(&pass, err);
	if (r == 0)
		r = read_all(&pass, err);
	return r < 0 ? r : end(&pass, facts, err);
}
