/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One layer's way: hashed as its bytes come, compressed where it is a plain tar
 * that the registry does not have, and sent.
 */
#include "layer.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/container.h"
#include "base/file.h"
#include "base/log.h"

/* Small enough for the processor's cache, large enough to make the calls and
 * the wake-ups cheap. */
enum { PIECE = 256 << 10 };

/* What a layer that fills the registry with zeros is stopped at: the largest
 * that are known have some tens of gigabytes. */
#define UNPACKED_MAX (UINT64_C(1) << 38)

static int sniff(struct push_layer *layer, enum compression *out,
    struct err *err)
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
	*out = compression_sniff(head, (size_t)n);
	return 0;
}

/* Where the bytes go: the hasher and, where there is one, the writer. */
struct bytes {
	struct sink sink;
	struct hasher *hasher;
	struct layer_writer *writer;
};

static int take(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct bytes *bytes = container_of(sink, struct bytes, sink);
	int r = hasher_update(bytes->hasher, data, len, err);

	if (r == 0 && bytes->writer)
		r = layer_writer_write(bytes->writer, data, len, err);
	return r;
}

/* Passes on all of its bytes. */
static int read_bytes(const struct push_layer *layer, struct decoder *decoder,
    struct sink *sink, struct err *err)
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
			return err_set(err, EIO,
			    "the archive's file ended unexpectedly");
		r = decoder ? decoder_write(decoder, piece, len, err)
			    : sink_write(sink, piece, len, err);
		if (r < 0)
			return r;
		done += len;
	}
	return 0;
}

/* The layer is there: a decoder with a large window does not wait for the
 * program that writes the archive. */
static int await_layer(void *arg, struct err *err)
{
	const struct push_layer *layer = arg;

	return push_layers_await(layer->set, layer->offset + layer->size, err);
}

/* The same, unpacked. */
static int unpack_bytes(struct push_layer *layer, struct sink *sink,
    struct err *err)
{
	CLEANUP(decoder_free_p) struct decoder *decoder = NULL;
	int r = decoder_new(layer->packing, sink, UNPACKED_MAX, &decoder, err);

	if (r < 0)
		return r;
	decoder_share(decoder, &windows_of_layers, await_layer, layer);
	r = read_bytes(layer, decoder, sink, err);
	if (r == 0 && !decoder_at_end(decoder))
		r = err_set(err, EINVAL, "the compressed layer is truncated");
	return r;
}

/* The same, as a tar that every engine unpacks. */
static int convert_bytes(struct push_layer *layer, struct sink *sink,
    struct err *err)
{
	int r = await_layer(layer, err);

	return r < 0 ? r
		     : layer_plain_write(layer->tree, layer->fd, layer->offset,
			   sink, err);
}

static int digest_layer(struct push_layer *layer,
    enum digest_algorithm algorithm, struct layer_writer *writer,
    struct digest *out, struct err *err)
{
	CLEANUP(hasher_free_p)
	struct hasher *hasher = hasher_new(algorithm, err);
	struct bytes bytes = {{take}, hasher, writer};
	int r;

	if (!hasher)
		return -err->code;
	if (layer->tree)
		r = convert_bytes(layer, &bytes.sink, err);
	else if (layer->packing == COMPRESSION_NONE)
		r = read_bytes(layer, NULL, &bytes.sink, err);
	else
		r = unpack_bytes(layer, &bytes.sink, err);
	return r < 0 ? r : hasher_finish(hasher, out, err);
}

/* The bytes are a blob, and go as they are. */
static int bring_as_is(struct push_layer *layer, enum layer_kind kind,
    struct err *err)
{
	struct layer_written *blob = &layer->blob;
	char got[DIGEST_TEXT_SIZE], want[DIGEST_TEXT_SIZE];
	struct payload body = {.fd = layer->fd,
	    .offset = layer->offset,
	    .size = layer->size};
	bool given = digest_is_set(&layer->expected);
	int r;

	push_layers_pass(layer);
	r = digest_layer(layer,
	    given ? layer->expected.algorithm : DIGEST_SHA256, NULL,
	    &blob->digest, err);

	if (r < 0)
		return r;
	if (given && !digest_equal(&blob->digest, &layer->expected))
		return err_set(err, EINVAL, "the digest is %s, not %s",
		    digest_format(&blob->digest, got),
		    digest_format(&layer->expected, want));
	blob->size = layer->size;
	blob->kind = kind;
	r = push_blob_put(layer->set->target, &blob->digest, &body, err);
	layer->sent = r == 1;
	return r < 0 ? r : 0;
}

/* Hashes what is probably known. 1 if the repository has it. */
static int bring_known(struct push_layer *layer, struct err *err)
{
	struct push_known *known = &layer->set->known;
	int r = digest_layer(layer, DIGEST_SHA256, NULL, &layer->diff_id, err);

	if (r < 0)
		return r;
	return push_known_find(known, &layer->diff_id, &layer->blob, err);
}

/* Compresses into fd, hashing the plain tar on the way. */
static int compress_as(struct push_layer *layer,
    const struct layer_format *format, int fd, struct err *err)
{
	CLEANUP(layer_writer_free_p) struct layer_writer *writer = NULL;
	struct push_layers *set = layer->set;
	const struct layer_writer_options options = {.format = *format,
	    .pool = set->compressors,
	    .parallel = set->compressor_count,
	    .fd = fd};
	int r = layer_writer_new(&options, &writer, err);

	if (r == 0)
		r = digest_layer(layer, DIGEST_SHA256, writer, &layer->diff_id,
		    err);
	return r < 0 ? r : layer_writer_finish(writer, &layer->blob, err);
}

/* The same in the format that was asked for, or without its table of contents
 * where it is not a layer that has one. */
static int compress(struct push_layer *layer, int fd, struct err *err)
{
	struct layer_format format = layer->set->known.format;
	struct err refusal = ERR_INIT;
	int r = compress_as(layer, &format, fd, &refusal);

	if (r != -EOPNOTSUPP) {
		if (r < 0)
			*err = refusal;
		return r;
	}
	log_info("layer %s is pushed without a table of contents: %s",
	    layer->name, refusal.msg);
	format.kind = layer_kind_plain(format.kind);
	if (ftruncate(fd, 0) < 0)
		return err_sys(err, "a temporary file");
	return compress_as(layer, &format, fd, err);
}

/* Keeps what was compressed, for those who read the image here, or have to try
 * the push again. */
static void keep(const struct push_layer *layer, int fd)
{
	const struct tag_ref *target = layer->set->target;
	const struct layer_written *blob = &layer->blob;
	struct layer_blob note = {.digest = blob->digest,
	    .size = blob->size,
	    .diff_id = blob->diff_id,
	    .annotations = blob->annotations};
	struct err err = ERR_INIT;

	if (!source_can(images_source(target->images), SOURCE_LOCAL) &&
	    store_adopt(images_store(target->images), fd, blob->size,
		&blob->digest, &err) < 0)
		log_debug(LOG_PUSH, "%s is not kept: %s", layer->name, err.msg);
	snprintf(note.media_type, sizeof(note.media_type), "%s",
	    layer_kind_media_type(blob->kind));
	snprintf(note.repository, sizeof(note.repository), "%s",
	    target->repository);
	layers_learn(target->images, &layer->diff_id, &note);
}

static int bring_compressed(struct push_layer *layer, struct err *err)
{
	const struct tag_ref *target = layer->set->target;
	AUTO_FD int fd = store_temp(images_store(target->images), err);
	struct payload body = {.fd = fd};
	int r = fd < 0 ? fd : push_layers_turn(layer, err);

	if (r < 0)
		return r;
	r = compress(layer, fd, err);
	push_layers_pass(layer);
	if (r < 0)
		return r;
	body.size = layer->blob.size;
	r = push_blob_put(target, &layer->blob.digest, &body, err);
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
	enum compression compression = COMPRESSION_NONE;
	int r = sniff(layer, &compression, err);

	if (r < 0)
		return r;
	if (digest_is_set(&layer->expected))
		return bring_as_is(layer, LAYER_ANY, err);
	switch (compression) {
	case COMPRESSION_NONE:
		return bring_plain(layer, err);
	case COMPRESSION_GZIP:
		return bring_as_is(layer, LAYER_GZIP, err);
	case COMPRESSION_ZSTD:
		return bring_as_is(layer, LAYER_ZSTD, err);
	case COMPRESSION_BZIP2:
	case COMPRESSION_XZ:
		layer->packing = compression;
		return bring_plain(layer, err);
	}
	assert(false);
	return -EINVAL;
}

int push_layer_bring(struct push_layer *layer, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];
	int r = bring(layer, err);

	if (r < 0)
		return err_wrap(err, "layer %s", layer->name);
	log_debug(LOG_PUSH, "layer %s, %llu bytes: %s %s, %llu bytes",
	    layer->name, (unsigned long long)layer->size,
	    layer->sent ? "sent" : "there",
	    digest_format(&layer->blob.digest, text),
	    (unsigned long long)layer->blob.size);
	return 0;
}
