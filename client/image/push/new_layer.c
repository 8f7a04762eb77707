/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that go on top of images. */
#include "new_layer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/file.h"
#include "catalog/creation.h"
#include "layer.h"
#include "layer/plain.h"
#include "manifest.h"
#include "oci/edit.h"
#include "tar/walker.h"

enum { PIECE = 256 << 10 };

/* Where the plain tar goes: it is hashed, and followed to its end. */
struct tar_reading {
	struct sink sink; /* first */
	struct hasher *hasher;
	struct tar_walker *walker;
	bool ended;
};

static int take(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct tar_reading *reading =
	    container_of(sink, struct tar_reading, sink);
	int r = hasher_update(reading->hasher, data, len, err);

	if (r < 0 || reading->ended)
		return r;
	r = tar_walker_feed(reading->walker, data, len, NULL, err);
	reading->ended = r == 1;
	return r < 0 ? r : 0;
}

static int add_entry(void *arg, const struct tar_entry *entry, struct err *err)
{
	(void)err;
	layer_plain_add(arg, entry);
	return 0;
}

/* NULL in *out: it is plain. */
static int make_decoder(const void *head, size_t len, struct sink *sink,
    struct decoder **out, struct err *err)
{
	enum compression compression = compression_sniff(head, len);
	int r;

	if (compression == COMPRESSION_NONE)
		return 0;
	r = decoder_new(compression, sink, UINT64_MAX, out, err);
	/* All of it is on the disk. */
	if (r == 0)
		decoder_share(*out, &windows_of_layers, NULL, NULL);
	return r;
}

/* Passes on the plain tar: 1 where it was compressed, 0 where it was not. */
static int pass_on(struct spool *spool, struct sink *sink, struct err *err)
{
	CLEANUP(decoder_free_p) struct decoder *decoder = NULL;
	AUTO_FREE char *piece = malloc(PIECE);
	uint64_t done = 0, size = spool_size(spool);
	int r = piece ? 0 : err_nomem(err);

	while (r == 0 && done < size) {
		ssize_t n = spool_read(spool, piece, PIECE, done, err);

		if (n <= 0)
			return n < 0 ? (int)n
				     : err_set(err, EIO,
					   "unexpected end of file");
		if (done == 0)
			r = make_decoder(piece, (size_t)n, sink, &decoder, err);
		if (r == 0)
			r = decoder
				? decoder_write(decoder, piece, (size_t)n, err)
				: sink_write(sink, piece, (size_t)n, err);
		done += (uint64_t)n;
	}
	if (r == 0 && decoder && !decoder_at_end(decoder))
		r = err_set(err, EINVAL, "the compressed tar is truncated");
	return r < 0 ? r : decoder != NULL;
}

/* A compressed tar that is whole is taken as engines take it; a plain one could
 * be cut off in its padding. */
static bool has_ended(const struct tar_reading *reading, bool is_compressed)
{
	return is_compressed
		   ? tar_walker_lacks(reading->walker) == TAR_LACKS_NOTHING
		   : tar_walker_between(reading->walker);
}

/* How it is: 0 where engines unpack that, 1 where they do its tree. */
static int look_at(struct spool *spool, struct digest *out,
    struct layer_plain *tree, struct err *err)
{
	const struct tar_handler handler = {.entry = add_entry, .arg = tree};
	CLEANUP(hasher_free_p)
	struct hasher *hasher = hasher_new(DIGEST_SHA256, err);
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	struct tar_reading reading = {.sink = {take}, .hasher = hasher};
	int r = hasher ? tar_walker_new(&handler, &walker, err) : -err->code;

	reading.walker = walker;
	if (r == 0)
		r = pass_on(spool, &reading.sink, err);
	if (r >= 0 && !has_ended(&reading, r == 1))
		r = err_set(err, EINVAL, "the tar is truncated");
	if (r >= 0)
		r = hasher_finish(hasher, out, err);
	if (r >= 0)
		r = layer_plain_check(tree, true, err);
	return r < 0 ? r : r == 1 || !tar_walker_is_plain(walker);
}

/* The plain tar, in a file of its own. */
struct unpacked {
	struct sink sink;
	int fd;
	uint64_t size;
};

static void unpacked_release(struct unpacked *unpacked)
{
	cleanup_fd(&unpacked->fd);
}

static int keep(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct unpacked *unpacked = container_of(sink, struct unpacked, sink);
	uint64_t at = unpacked->size;

	unpacked->size += len;
	return file_pwrite(unpacked->fd, data, len, at, err);
}

static int unpack(struct spool *spool, struct images *images,
    struct unpacked *out, struct err *err)
{
	int r;

	out->sink.write = keep;
	out->fd = store_temp(images_store(images), err);
	if (out->fd < 0)
		return out->fd;
	r = pass_on(spool, &out->sink, err);
	return r < 0 ? r : 0;
}

static int bring(struct push_layers *set, int fd, uint64_t size,
    struct layer_plain *tree, const char *name, struct push_layer **out,
    struct err *err)
{
	const struct archive_entry entry = {.name = name, .size = size};
	int r;

	push_layers_grow(set, entry.size);
	*out = tree ? push_layers_want_tree(set, fd, &entry, tree, err)
		    : push_layers_want(set, fd, &entry, NULL, err);
	r = *out ? push_layers_wait(set, err) : -err->code;
	/* Nobody uses fd and tree any more. */
	if (r < 0)
		push_layers_cancel(set);
	return r;
}

/* The tar as it stands, or the tree that it is. */
static int bring_either(struct push_layers *set, struct spool *spool,
    const char *name, struct digest *diff_id, struct push_layer **out,
    struct err *err)
{
	struct images *images = set->target->images;
	AUTO_FREE char *dir = store_temp_dir(images_store(images), err);
	CLEANUP(layer_plain_free_p) struct layer_plain *tree = NULL;
	CLEANUP(unpacked_release) struct unpacked unpacked = {.fd = -1};
	int r = dir ? layer_plain_new(dir, &tree, err) : -err->code;

	if (r == 0)
		r = look_at(spool, diff_id, tree, err);
	if (r == 0)
		return bring(set, spool_fd(spool), spool_size(spool), NULL,
		    name, out, err);
	if (r > 0)
		r = unpack(spool, images, &unpacked, err);
	if (r < 0)
		return err_wrap(err, "layer %s", name);
	return bring(set, unpacked.fd, unpacked.size, tree, name, out, err);
}

/* Docker's manifests know gzip only. */
static void set_format(struct push_layers *set, bool docker)
{
	if (!docker)
		return;
	set->known.format.has_level &=
	    layer_kind_plain(set->known.format.kind) == LAYER_GZIP;
	set->known.format.kind = LAYER_GZIP;
}

int new_layer_bring(struct new_layer *layer, const struct tag_ref *target,
    struct spool *spool, const char *name, const char *image_type,
    struct err *err)
{
	struct push_layers set = {0};
	struct push_layer *brought;
	bool docker = strcmp(image_type, MEDIA_DOCKER_MANIFEST) == 0;
	int r;

	push_layers_init(&set, target);
	set_format(&set, docker);
	r = bring_either(&set, spool, name, &layer->diff_id, &brought, err);
	if (r == 0 && docker &&
	    layer_kind_plain(brought->blob.kind) == LAYER_ZSTD)
		r = err_set(err, EINVAL,
		    "layer %s: a Docker manifest cannot name a zstd layer",
		    name);
	if (r == 0) {
		layer->name = name;
		layer->created = creation_time(target->images);
		layer->blob = brought->blob;
		layer->descriptor = push_layer_descriptor(&layer->blob, docker,
		    layer->annotations);
		if (digest_is_set(&brought->diff_id))
			layer->diff_id = brought->diff_id;
		if (digest_is_set(&layer->blob.diff_id))
			layer->diff_id = layer->blob.diff_id;
	}
	push_layers_release(&set);
	return r;
}

int new_layer_config(const struct new_layer *layer, const struct buf *before,
    struct buf *out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(4096);
	int r = buf_addf(&text, err, "registryfs: %s", layer->name);

	return r < 0
		   ? r
		   : config_add_layer(out, before->data, before->len,
			 &layer->diff_id, layer->created, buf_str(&text), err);
}
