/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One layer's way: hashed as its bytes come, compressed where it is a plain tar
 * that the registry does not have, and sent.
 */
#include "push_layer.h"

#include <errno.h>
#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "stream/encoder.h"

/* Small enough for the processor's cache, large enough to make the calls and
 * the wake-ups cheap. */
enum { PIECE = 256 << 10 };

/* Members of 512 KiB cost 0.2 percent against 1 MiB, and half the memory. */
enum { GZIP_PIECE = 512 << 10 };

static int sniff(struct push_layer *layer, struct err *err)
{
	char head[COMPRESSION_MAGIC_BYTES];
	size_t len =
	    layer->size < sizeof(head) ? (size_t)layer->size : sizeof(head);
	ssize_t n;
	int r = push_layers_await(layer->set, layer->offset + len, err);

	if (r < 0)
		return r;
	n = file_pread(layer->fd, head, len, layer->offset, err);
	if (n < 0)
		return (int)n;
	layer->compression = compression_sniff(head, (size_t)n);
	return 0;
}

/* Hands all bytes to the hasher and, where there is one, to the writer. */
static int digest_bytes(const struct push_layer *layer, struct hasher *hasher,
    struct encoder *encoder, struct err *err)
{
	AUTO_FREE char *piece = malloc(PIECE);

	if (!piece)
		return err_nomem(err);
	for (uint64_t done = 0; done < layer->size;) {
		uint64_t left = layer->size - done;
		size_t len = left < PIECE ? (size_t)left : PIECE;
		uint64_t from = layer->offset + done;
		int r = push_layers_await(layer->set, from + len, err);
		ssize_t n =
		    r < 0 ? r : file_pread(layer->fd, piece, len, from, err);

		if (n < 0)
			return (int)n;
		if ((size_t)n < len)
			return err_set(err, EIO, "the archive was cut off");
		r = hasher_update(hasher, piece, len, err);
		if (r == 0 && encoder)
			r = encoder_write(encoder, piece, len, err);
		if (r < 0)
			return r;
		done += len;
	}
	return 0;
}

static int digest_layer(const struct push_layer *layer,
    enum digest_algorithm algorithm, struct encoder *encoder,
    struct digest *out, struct err *err)
{
	CLEANUP(hasher_free_p)
	struct hasher *hasher = hasher_new(algorithm, err);
	int r = hasher ? digest_bytes(layer, hasher, encoder, err) : -err->code;

	return r < 0 ? r : hasher_finish(hasher, out, err);
}

/* The bytes are a blob, and go as they are. */
static int bring_as_is(struct push_layer *layer, struct err *err)
{
	char got[DIGEST_TEXT_SIZE], want[DIGEST_TEXT_SIZE];
	struct http_body body = {.fd = layer->fd,
	    .offset = layer->offset,
	    .size = layer->size};
	bool given = digest_is_set(&layer->expected);
	int r;

	push_layers_pass(layer);
	r = digest_layer(layer,
	    given ? layer->expected.algorithm : DIGEST_SHA256, NULL,
	    &layer->digest, err);

	if (r < 0)
		return r;
	if (given && !digest_equal(&layer->digest, &layer->expected))
		return err_set(err, EINVAL, "it is %s and not %s",
		    digest_format(&layer->digest, got),
		    digest_format(&layer->expected, want));
	layer->blob_size = layer->size;
	r = push_blob_put(layer->set->target, &layer->digest, &body, err);
	layer->sent = r == 1;
	return r < 0 ? r : 0;
}

/* Hashes what is probably known. 1 if the repository has it. */
static int bring_known(struct push_layer *layer, struct err *err)
{
	struct push_known *known = &layer->set->known;
	struct layer_blob blob;
	int r = digest_layer(layer, DIGEST_SHA256, NULL, &layer->diff_id, err);

	if (r == 0)
		r = push_known_find(known, &layer->diff_id, &blob,
		    &layer->compression, err);
	if (r <= 0)
		return r;
	layer->digest = blob.digest;
	layer->blob_size = blob.size;
	return 1;
}

/* Compresses into fd, hashing the plain tar on the way. */
static int compress(struct push_layer *layer, int fd, struct err *err)
{
	CLEANUP(encoder_free_p) struct encoder *encoder = NULL;
	struct push_layers *set = layer->set;
	const struct encoder_options options = {.compression = COMPRESSION_GZIP,
	    .level = COMPRESSION_LEVEL_DEFAULT,
	    .piece_size = GZIP_PIECE,
	    .pool = set->compressors,
	    .parallel = set->compressor_count,
	    .fd = fd};
	int r = encoder_new(&options, &encoder, err);

	if (r == 0)
		r = digest_layer(layer, DIGEST_SHA256, encoder, &layer->diff_id,
		    err);
	if (r == 0)
		r = encoder_finish(encoder, &layer->digest, &layer->blob_size,
		    err);
	layer->compression = COMPRESSION_GZIP;
	return r;
}

/* Keeps what was compressed, for whoever reads the image here, or has to try
 * the push again. */
static void keep(const struct push_layer *layer, int fd)
{
	const struct push_target *target = layer->set->target;
	struct layer_blob blob = {.digest = layer->digest,
	    .size = layer->blob_size,
	    .media_type = MEDIA_OCI_LAYER_GZIP};
	struct err err = ERR_INIT;

	if (store_adopt(images_store(target->images), fd, &layer->digest,
		&err) < 0)
		log_debug(LOG_PUSH, "%s is not kept: %s", layer->name, err.msg);
	snprintf(blob.repository, sizeof(blob.repository), "%s",
	    target->repository);
	layers_learn(target->images, &layer->diff_id, &blob);
}

static int bring_compressed(struct push_layer *layer, struct err *err)
{
	const struct push_target *target = layer->set->target;
	AUTO_FD int fd = store_temp(images_store(target->images), err);
	struct http_body body = {.fd = fd};
	int r = fd < 0 ? fd : push_layers_turn(layer, err);

	if (r < 0)
		return r;
	r = compress(layer, fd, err);
	push_layers_pass(layer);
	if (r < 0)
		return r;
	body.size = layer->blob_size;
	r = push_blob_put(target, &layer->digest, &body, err);
	if (r < 0)
		return r;
	layer->sent = r == 1;
	keep(layer, fd);
	return 0;
}

static int bring_plain(struct push_layer *layer, struct err *err)
{
	struct push_known *known = &layer->set->known;
	/* What the notes tell needs no look around. */
	bool likely = digest_is_set(&layer->hint) &&
		      push_known_likely(known, &layer->hint);
	int r = 0;

	if (!likely) {
		r = push_known_learn(known, err);
		likely = push_known_likely(known, &layer->hint);
	}
	if (r == 0 && likely)
		r = bring_known(layer, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return bring_compressed(layer, err);
}

static int bring(struct push_layer *layer, struct err *err)
{
	int r = sniff(layer, err);

	if (r < 0)
		return r;
	if (digest_is_set(&layer->expected))
		return bring_as_is(layer, err);
	switch (layer->compression) {
	case COMPRESSION_NONE:
		return bring_plain(layer, err);
	case COMPRESSION_GZIP:
	case COMPRESSION_ZSTD:
		return bring_as_is(layer, err);
	case COMPRESSION_BZIP2:
	case COMPRESSION_XZ:
		break;
	}
	return err_set(err, EINVAL,
	    "it is compressed with %s, which no image can use",
	    compression_name(layer->compression));
}

int push_layer_bring(struct push_layer *layer, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];
	int r = bring(layer, err);

	if (r < 0)
		return err_wrap(err, "layer %s", layer->name);
	log_debug(LOG_PUSH, "layer %s, %llu bytes: %s %s, %llu bytes",
	    layer->name, (unsigned long long)layer->size,
	    layer->sent ? "sent" : "there", digest_format(&layer->digest, text),
	    (unsigned long long)layer->blob_size);
	return 0;
}
