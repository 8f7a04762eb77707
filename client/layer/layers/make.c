/* SPDX-License-Identifier: Apache-2.0 */
/* Makes an index, unless one is found that was made before. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "base/log.h"
#include "build/pass.h"
#include "kept_index.h"
#include "kept_stream.h"
#include "layer/index.h"
#include "state.h"

static bool wanted(void *arg, uint64_t done)
{
	struct layer *layer = arg;

	if (atomic_load(&layer->table->closing))
		return false;
	/* Half of it is worth the rest. */
	return atomic_load(&layer->wanted) > 0 || done >= layer->size / 2;
}

/* Opens what was written to a file. */
static int open_written(int fd, struct layer_index **out, struct err *err)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return own < 0 ? err_sys(err, "cannot open an index")
		       : layer_index_open(own, out, err);
}

/* An index to be written. */
struct index_written {
	struct builder *builder;
	const struct layer_facts *facts;
};

static int write_index(void *arg, int fd, struct err *err)
{
	const struct index_written *written = arg;

	return builder_write(written->builder, written->facts, fd, err);
}

/* Makes what the builder holds the layer's index, and keeps it. A small cache
 * may have no room for it: it is used all the same. */
static int keep(struct layer *layer, struct builder *builder,
    const struct layer_facts *facts, struct err *err)
{
	struct store *store = layer->table->store;
	struct index_written written = {builder, facts};
	AUTO_FD int fd = store_temp_filled(store, builder_size(builder),
	    write_index, &written, err);
	struct layer_index *index = NULL;
	int r;

	if (fd < 0)
		return err_wrap(err, "cannot write its index");
	r = open_written(fd, &index, err);
	if (r < 0)
		return r;
	store_derived_put(store, fd, layer->name, ERR_IGNORE);
	return layer_take_index(layer, index, err);
}

/* The blob as it is read piece by piece, and which bytes of it were read. */
struct blob_cursor {
	struct layer *layer;
	uint64_t begin, end;
};

static int read_pieces(void *arg, void *data, size_t len, uint64_t off,
    struct err *err)
{
	struct blob_cursor *pieces = arg;

	if (off < pieces->begin)
		pieces->begin = off;
	if (off + len > pieces->end)
		pieces->end = off + len;
	return parts_read(pieces->layer->parts, data, len, off, 0, err);
}

static int read_verified(void *arg, void *data, size_t len, uint64_t off,
    struct err *err)
{
	ssize_t n = blob_read_verified(arg, data, len, off, err);

	return n < 0 ? (int)n : 0;
}

/* From its own table of contents, as it is in those bytes: 1. */
static int take_toc(struct layer *layer, const struct toc_blob *blob,
    struct err *err)
{
	AUTO_FREE char *dir = store_temp_dir(layer->table->store, err);
	CLEANUP(builder_free_p) struct builder *builder = NULL;
	struct layer_facts facts = {0};
	int r = dir ? builder_new(dir, &builder, err) : -err->code;

	if (r == 0)
		r = toc_read(&layer->toc, blob, builder, &facts, err);
	if (r < 0)
		return r;
	facts.vouching = LAYER_BY_CHUNKS;
	facts.blob = layer->digest;
	facts.blob_size = layer->size;
	r = keep(layer, builder, &facts, err);
	return r < 0 ? r : 1;
}

static bool is_unusable(int r)
{
	return r == -EBADMSG || r == -EINVAL || r == -EFBIG;
}

/*
 * The table of pieces that were fetched for it: 1, or 0 where it is of no use.
 * Nothing vouches for what says where it is, and pieces that are wrong, in the
 * cache or by their transfer, are fetched once more. A blob that is there whole
 * has checksums, by which it is read next.
 */
static int make_from_toc(struct layer *layer, struct err *err)
{
	struct blob_cursor pieces = {layer, UINT64_MAX, 0};
	const struct toc_blob blob = {read_pieces, &pieces, layer->size};
	struct err reason = ERR_INIT;
	int r = take_toc(layer, &blob, &reason);

	if (is_unusable(r) && pieces.begin < pieces.end &&
	    parts_cached(layer->parts) < layer->size) {
		log_debug(LOG_STORE, "%s: its table is fetched again: %s",
		    layer->title, reason.msg);
		parts_drop(layer->parts, pieces.begin,
		    pieces.end - pieces.begin);
		r = take_toc(layer, &blob, &reason);
	}
	if (is_unusable(r))
		return 0;
	if (r < 0)
		*err = reason;
	return r;
}

/* The table of the blob, all of which is verified first. The same. */
static int make_from_whole_toc(struct layer *layer, struct blob *blob,
    struct err *err)
{
	const struct toc_blob all = {read_verified, blob, layer->size};
	struct err reason = ERR_INIT;
	char first;
	ssize_t n = blob_read_verified(blob, &first, 1, 0, err);
	int r;

	if (n < 0)
		return (int)n;
	r = take_toc(layer, &all, &reason);
	if (is_unusable(r)) {
		log_warn("%s is read as a whole, without its table of "
			 "contents: %s",
		    layer->title, reason.msg);
		return 0;
	}
	if (r < 0)
		*err = reason;
	return r;
}

static int pass_once(struct layer *layer, struct blob *blob, bool whole_stream,
    struct err *err)
{
	const struct pass_job job = {layer->table->store, blob, &layer->digest,
	    wanted, layer};
	AUTO_FREE char *dir = store_temp_dir(layer->table->store, err);
	CLEANUP(builder_free_p) struct builder *builder = NULL;
	struct layer_facts facts;
	int r = dir ? builder_new(dir, &builder, err) : -err->code;

	if (r == 0)
		r = pass_run(&job, whole_stream, builder, &facts, err);
	return r < 0 ? r : keep(layer, builder, &facts, err);
}

static int follow_blob(struct layer *layer, struct err *err)
{
	CLEANUP(blob_put_p) struct blob *blob = NULL;
	struct store_source source = origins_source(layer->origins);
	struct err reason = ERR_INIT;
	int r = store_get(layer->table->store, &layer->digest, layer->size,
	    &source, &blob, err);

	if (r < 0)
		return r;
	if (layer->toc.kind != TOC_NONE)
		r = make_from_whole_toc(layer, blob, err);
	if (r != 0)
		return r;
	r = pass_once(layer, blob, false, &reason);
	if (r == -EOVERFLOW)
		return pass_once(layer, blob, true, err);
	if (r < 0)
		*err = reason;
	return r;
}

/* A transfer that was wrong is worth another one. */
static int make_from_blob(struct layer *layer, struct err *err)
{
	struct err reason = ERR_INIT;
	int r = follow_blob(layer, &reason);

	if (r == -EBADMSG) {
		/* Be it that it was damaged in the store. */
		parts_drop(layer->parts, 0, layer->size);
		store_drop(layer->table->store, &layer->digest);
		return follow_blob(layer, err);
	}
	if (r < 0)
		*err = reason;
	return r;
}

/* Another process may be at it, or have done it meanwhile. Where that cannot be
 * known it is made twice. */
static int make_locked(struct layer *layer, struct err *err)
{
	struct err unlocked = ERR_INIT;
	AUTO_FD int lock =
	    store_derived_lock(layer->table->store, layer->name, &unlocked);
	int r = 0;

	if (lock == -EINTR) {
		*err = unlocked;
		return lock;
	}
	if (!layer_is_right(layer))
		r = kept_index_find(layer, err);
	if (r != 0)
		return r;
	if (layer->toc.kind != TOC_NONE && !layer_is_right(layer))
		r = make_from_toc(layer, err);
	if (r == 0)
		r = make_from_blob(layer, err);
	return r;
}

/* Where there is no room for it, it is decoded as it is read. */
static int make_stream(struct layer *layer, struct err *err)
{
	int r = layer_find_stream(layer, err);

	if (r == 0 && !layer_has_stream(layer))
		r = layer_decode_stream(layer, err);
	return r;
}

static int make(struct layer *layer, struct err *err)
{
	int r;

	if (layer->index && !layer_is_right(layer))
		log_warn("%s: its index in the cache is damaged, and is "
			 "rebuilt",
		    layer->title);
	r = make_locked(layer, err);
	if (r >= 0 &&
	    layer_index_facts(layer->index)->vouching == LAYER_BY_STREAM)
		r = make_stream(layer, err);
	return r < 0 ? err_wrap(err, "%s", layer->title) : 0;
}

void make_run(void *arg)
{
	CLEANUP(layer_put_p) struct layer *layer = arg;
	struct layer_jobs *jobs = &layer->table->jobs;
	struct err err = ERR_INIT;
	struct layer_job job;
	int r;

	job_begin(jobs, &job);
	r = make(layer, &err);
	job_end(jobs, &job);
	monitor_enter(&layer->monitor);
	/* If it was given up, those who still wait for it begin again. */
	turn_end(&layer->making, &layer->monitor,
	    r < 0 && r != -ECANCELED ? &err : NULL);
	monitor_leave(&layer->monitor);
	/* A layer's names were small pieces, all over the heap. */
	malloc_trim(0);
}
