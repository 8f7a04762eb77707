/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compresses in several threads. Pieces are gathered in batches: a small file
 * is a piece, and a job for each would cost more than its compression. A ring
 * holds the batches under way. Jobs of the pool compress, each one batch and
 * waiting for nothing; the thread that writes collects the results in order, so
 * that encoders which share a pool cannot lock each other up.
 */
#include "stream/encoder.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/file.h"
#include "base/lock.h"
#include "compressor.h"

enum {
	PIECES_MAX = 1024, /* in a batch */
	/* What a piece's worst case has more than its share of the batch's. */
	PIECE_SLACK = 128,
};

struct encoded_piece {
	uint32_t in_len, out_len;
	uint32_t hash_len;
	struct digest digest;
};

/* Pieces on their way through the ring. */
struct batch {
	struct encoder *encoder;
	struct compressor *compressor;
	uint8_t *in, *out;
	size_t in_len, out_len;
	struct encoded_piece *pieces;
	unsigned count;
	bool done; /* under the encoder's lock: out is there, or: */
	struct err failure;
};

struct encoder {
	struct encoder_options options;
	struct hasher *hasher;
	uint64_t written;
	bool any;        /* a file has at least one piece */
	bool is_open;    /* the last piece of the batch that is filled grows */
	size_t hash_len; /* of the next piece */

	pthread_mutex_t lock; /* of each batch's `done` */
	pthread_cond_t done;

	/* The ring: `busy` batches from `first` on are with the pool, the one
	 * after them is being filled. */
	unsigned first, busy, count;
	struct batch batches[];
};

static int batch_init(struct batch *batch, struct encoder *encoder,
    struct err *err)
{
	const struct encoder_options *options = &encoder->options;
	int r = compressor_new(options->compression, options->level,
	    &batch->compressor, err);

	if (r < 0)
		return r;
	batch->encoder = encoder;
	batch->in = malloc(options->piece_size);
	batch->out =
	    malloc(compressor_bound(batch->compressor, options->piece_size) +
		   PIECES_MAX * PIECE_SLACK);
	batch->pieces = calloc(PIECES_MAX, sizeof(*batch->pieces));
	if (!batch->in || !batch->out || !batch->pieces)
		return err_nomem(err);
	return 0;
}

int encoder_new(const struct encoder_options *options, struct encoder **out,
    struct err *err)
{
	/* One is filled while `parallel` are compressed. */
	unsigned count = options->parallel + 1;
	CLEANUP(encoder_free_p)
	struct encoder *encoder =
	    calloc(1, sizeof(*encoder) + count * sizeof(encoder->batches[0]));

	if (!encoder)
		return err_nomem(err);
	pthread_mutex_init(&encoder->lock, NULL);
	pthread_cond_init(&encoder->done, NULL);
	encoder->options = *options;
	encoder->count = count;
	encoder->hasher = hasher_new(DIGEST_SHA256, err);
	if (!encoder->hasher)
		return -err->code;
	for (unsigned i = 0; i < count; i++)
		if (batch_init(&encoder->batches[i], encoder, err) < 0)
			return -err->code;
	*out = steal(&encoder);
	return 0;
}

static int compress_piece(struct batch *batch, struct encoded_piece *piece,
    const uint8_t *in, struct err *err)
{
	size_t len = compressor_run(batch->compressor, in, piece->in_len,
	    batch->out + batch->out_len);

	if (len == 0)
		return err_nomem(err);
	piece->out_len = (uint32_t)len;
	batch->out_len += len;
	if (piece->hash_len == 0)
		return 0;
	return digest_of(DIGEST_SHA256, in, piece->hash_len, &piece->digest,
	    err);
}

/* A job of the pool. */
static void compress_batch(void *arg)
{
	struct batch *batch = arg;
	struct encoder *encoder = batch->encoder;
	size_t in = 0;
	int r = 0;

	batch->out_len = 0;
	for (unsigned i = 0; i < batch->count && r == 0; i++) {
		r = compress_piece(batch, &batch->pieces[i], batch->in + in,
		    &batch->failure);
		in += batch->pieces[i].in_len;
	}
	SCOPED_LOCK(&encoder->lock);
	batch->done = true;
	pthread_cond_signal(&encoder->done);
}

static struct batch *oldest(struct encoder *encoder)
{
	return &encoder->batches[encoder->first];
}

static struct batch *filling(struct encoder *encoder)
{
	unsigned i = (encoder->first + encoder->busy) % encoder->count;

	return &encoder->batches[i];
}

static bool oldest_done(struct encoder *encoder)
{
	SCOPED_LOCK(&encoder->lock);
	return encoder->busy > 0 && oldest(encoder)->done;
}

static void wait_for_oldest(struct encoder *encoder)
{
	SCOPED_LOCK(&encoder->lock);
	while (!oldest(encoder)->done)
		pthread_cond_wait(&encoder->done, &encoder->lock);
}

static int write_bytes(struct encoder *encoder, const void *data, size_t len,
    struct err *err)
{
	int r = hasher_update(encoder->hasher, data, len, err);

	if (r == 0)
		r = file_pwrite(encoder->options.fd, data, len,
		    encoder->written, err);
	if (r == 0)
		encoder->written += len;
	return r;
}

/* Tells of the pieces of a batch that was written from `offset` on. */
static int tell(const struct encoder *encoder, const struct batch *batch,
    uint64_t offset, struct err *err)
{
	const struct encoder_options *options = &encoder->options;
	int r = 0;

	for (unsigned i = 0; i < batch->count && r == 0; i++) {
		const struct encoded_piece *piece = &batch->pieces[i];
		struct encoder_piece told = {offset, piece->out_len,
		    piece->digest};

		if (piece->hash_len > 0)
			r = options->done(options->arg, &told, err);
		offset += piece->out_len;
	}
	return r;
}

/* Takes the oldest out of the ring, which is done, and writes it. */
static int write_oldest(struct encoder *encoder, struct err *err)
{
	struct batch *batch = oldest(encoder);
	uint64_t offset = encoder->written;
	int r;

	encoder->first = (encoder->first + 1) % encoder->count;
	encoder->busy--;
	if (batch->failure.code) {
		*err = batch->failure;
		return -err->code;
	}
	r = write_bytes(encoder, batch->out, batch->out_len, err);
	if (r == 0)
		r = tell(encoder, batch, offset, err);
	batch->in_len = batch->count = 0;
	return r;
}

/* Writes what is done, and waits until at most `busy` batches are not. */
static int collect(struct encoder *encoder, unsigned busy, struct err *err)
{
	while (encoder->busy > busy || oldest_done(encoder)) {
		int r;

		wait_for_oldest(encoder);
		r = write_oldest(encoder, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int submit(struct encoder *encoder, struct err *err)
{
	struct batch *batch = filling(encoder);
	int r;

	encoder->is_open = false;
	batch->done = false; /* nobody else has it yet */
	r = pool_submit(encoder->options.pool, compress_batch, batch, err);
	if (r < 0)
		return r;
	encoder->busy++;
	return collect(encoder, encoder->count - 1, err);
}

static void begin_piece(struct encoder *encoder, struct batch *batch)
{
	assert(batch->count < PIECES_MAX);
	batch->pieces[batch->count++] =
	    (struct encoded_piece){.hash_len = (uint32_t)encoder->hash_len};
	encoder->hash_len = 0;
	encoder->is_open = true;
	encoder->any = true;
}

size_t encoder_room(struct encoder *encoder)
{
	return encoder->options.piece_size - filling(encoder)->in_len;
}

int encoder_write(struct encoder *encoder, const void *data, size_t len,
    struct err *err)
{
	const uint8_t *bytes = data;

	while (len > 0) {
		struct batch *batch = filling(encoder);
		size_t room = encoder_room(encoder);
		size_t n = len < room ? len : room;
		int r;

		if (!encoder->is_open)
			begin_piece(encoder, batch);
		memcpy(batch->in + batch->in_len, bytes, n);
		batch->in_len += n;
		batch->pieces[batch->count - 1].in_len += (uint32_t)n;
		bytes += n;
		len -= n;
		if (n < room)
			break;
		r = submit(encoder, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int encoder_cut(struct encoder *encoder, size_t whole, size_t hashed,
    struct err *err)
{
	struct batch *batch = filling(encoder);
	bool is_full =
	    encoder_room(encoder) < whole || batch->count == PIECES_MAX;

	assert(hashed <= whole && whole <= encoder->options.piece_size);
	encoder->is_open = false;
	encoder->hash_len = hashed;
	return is_full ? submit(encoder, err) : 0;
}

int encoder_flush(struct encoder *encoder, uint64_t *offset, struct err *err)
{
	int r = 0;

	if (filling(encoder)->count > 0)
		r = submit(encoder, err);
	if (r == 0)
		r = collect(encoder, 0, err);
	*offset = encoder->written;
	return r;
}

int encoder_append(struct encoder *encoder, const void *data, size_t len,
    struct err *err)
{
	uint64_t offset;
	int r = encoder_flush(encoder, &offset, err);

	encoder->any = true;
	return r < 0 ? r : write_bytes(encoder, data, len, err);
}

int encoder_finish(struct encoder *encoder, struct digest *digest,
    uint64_t *size, struct err *err)
{
	int r;

	if (!encoder->any)
		begin_piece(encoder, filling(encoder));
	r = encoder_flush(encoder, size, err);
	return r < 0 ? r : hasher_finish(encoder->hasher, digest, err);
}

static void batch_release(struct batch *batch)
{
	compressor_free(batch->compressor);
	free(batch->in);
	free(batch->out);
	free(batch->pieces);
}

void encoder_free(struct encoder *encoder)
{
	if (!encoder)
		return;
	for (; encoder->busy > 0; encoder->busy--) {
		wait_for_oldest(encoder);
		encoder->first = (encoder->first + 1) % encoder->count;
	}
	for (unsigned i = 0; i < encoder->count; i++)
		batch_release(&encoder->batches[i]);
	hasher_free(encoder->hasher);
	pthread_cond_destroy(&encoder->done);
	pthread_mutex_destroy(&encoder->lock);
	free(encoder);
}
