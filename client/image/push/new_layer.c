/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that go on top of images. */
#include "new_layer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "catalog/creation.h"
#include "layer.h"
#include "manifest.h"
#include "oci/edit.h"
#include "tar/walker.h"

enum { PIECE = 256 << 10 };

/* Where the plain tar goes: it is hashed, and followed to its end. */
struct reading {
	struct sink sink; /* first */
	struct hasher *hasher;
	struct tar_walker *walker;
	bool ended;
};

static int take(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct reading *it = (struct reading *)(void *)sink;
	int r = hasher_update(it->hasher, data, len, err);

	if (r < 0 || it->ended)
		return r;
	r = tar_walker_feed(it->walker, data, len, NULL, err);
	it->ended = r == 1;
	return r < 0 ? r : 0;
}

static int skip_entry(void *arg, const struct tar_entry *entry, struct err *err)
{
	(void)arg;
	(void)entry;
	(void)err;
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
			return n < 0 ? (int)n : err_set(err, EIO, "cut off");
		if (done == 0)
			r = make_decoder(piece, (size_t)n, sink, &decoder, err);
		if (r == 0)
			r = decoder
				? decoder_write(decoder, piece, (size_t)n, err)
				: sink_write(sink, piece, (size_t)n, err);
		done += (uint64_t)n;
	}
	if (r == 0 && decoder && !decoder_at_end(decoder))
		r = err_set(err, EINVAL, "the compressed tar has not ended");
	return r < 0 ? r : decoder != NULL;
}

/* A compressed tar that is whole is taken as engines take it; a plain one could
 * be cut off in its padding. */
static bool has_ended(const struct reading *it, bool is_compressed)
{
	return is_compressed ? tar_walker_lacks(it->walker) == TAR_LACKS_NOTHING
			     : tar_walker_between(it->walker);
}

/* How it is, and whether engines unpack that. */
static int look_at(struct spool *spool, struct digest *out, bool *is_plain,
    struct err *err)
{
	const struct tar_handler handler = {.entry = skip_entry};
	CLEANUP(hasher_free_p)
	struct hasher *hasher = hasher_new(DIGEST_SHA256, err);
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	struct reading it = {.sink = {take}, .hasher = hasher};
	int r = hasher ? tar_walker_new(&handler, &walker, err) : -err->code;

	it.walker = walker;
	if (r == 0)
		r = pass_on(spool, &it.sink, err);
	if (r >= 0 && !has_ended(&it, r == 1))
		r = err_set(err, EINVAL, "the tar has not ended");
	if (r < 0)
		return r;
	*is_plain = tar_walker_is_plain(walker);
	return hasher_finish(hasher, out, err);
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
	struct unpacked *unpacked = (struct unpacked *)(void *)sink;
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

static int bring(struct push_layers *set, int fd, uint64_t size, bool is_odd,
    const char *name, struct push_layer **out, struct err *err)
{
	const struct archive_entry entry = {.name = name,
	    .size = size,
	    .is_odd = is_odd};

	push_layers_grow(set, entry.size);
	*out = push_layers_want(set, fd, &entry, NULL, err);
	return *out ? push_layers_wait(set, err) : -err->code;
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

int new_layer_bring(struct new_layer *layer, const struct push_target *target,
    struct spool *spool, const char *name, const char *image_type,
    struct err *err)
{
	struct push_layers set = {0};
	struct push_layer *brought;
	bool docker = strcmp(image_type, MEDIA_DOCKER_MANIFEST) == 0;
	CLEANUP(unpacked_release) struct unpacked unpacked = {.fd = -1};
	bool is_plain = false;
	int r = look_at(spool, &layer->diff_id, &is_plain, err);

	if (r == 0 && !is_plain)
		r = unpack(spool, target->images, &unpacked, err);
	if (r < 0)
		return err_wrap(err, "layer %s", name);
	push_layers_init(&set, target);
	set_format(&set, docker);
	r = is_plain ? bring(&set, spool_fd(spool), spool_size(spool), false,
			   name, &brought, err)
		     : bring(&set, unpacked.fd, unpacked.size, true, name,
			   &brought, err);
	if (r == 0 && docker &&
	    layer_kind_plain(brought->blob.kind) == LAYER_ZSTD)
		r = err_set(err, EINVAL,
		    "layer %s: Docker's manifest can name no layer in zstd",
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
