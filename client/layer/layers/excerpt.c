/* SPDX-License-Identifier: Apache-2.0 */
/* Excerpts of layers. */
#include "excerpt.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/container.h"
#include "base/lock.h"

enum {
	PIECE = 64 << 10,
	WINDOW = 8 << 20,
	/* What one piece may decode to beyond what is asked for, without all
	 * of it being decoded again for who goes on. */
	REST_MAX = 1 << 20,
};

/* Where the store gets it from. The store keeps it longer than layers last, and
 * layers keep blobs: it does not hold the layer. */
struct excerpt_source {
	struct parts *parts; /* of the layer's blob */
	enum compression compression;
	struct excerpt_range range;
	atomic_bool wrong; /* what it gave: who wants all asks another */
};

/* A decoder on its way through a range. */
struct cursor {
	struct sink sink;
	const struct excerpt_source *source;
	struct decoder *decoder;
	uint64_t in;  /* bytes that it was given */
	uint64_t out; /* and that came out */

	/* What came out last, and was not asked for yet. */
	uint8_t rest[REST_MAX];
	size_t rest_len;
	bool lost; /* it was too much */

	/* What is asked for, and who gets it. */
	uint64_t from, end;
	struct sink *to;
};

/* The last that was used, for who goes on where it stands: one, as a decoder's
 * window can be large. */
static struct {
	pthread_mutex_t lock;
	struct cursor *cursor; /* under lock */
} idle = {PTHREAD_MUTEX_INITIALIZER, NULL};

static void cursor_free(struct cursor *cursor)
{
	if (!cursor)
		return;
	decoder_free(cursor->decoder);
	free(cursor);
}

DEFINE_CLEANUP(struct cursor *, cursor_free);

/* Whether what is asked for is still to come out of it. */
static bool is_before(const struct cursor *cursor, uint64_t from)
{
	return !cursor->lost && from >= cursor->out - cursor->rest_len;
}

static struct cursor *take_idle(const struct excerpt_source *source,
    uint64_t from)
{
	SCOPED_LOCK(&idle.lock);

	if (!idle.cursor || idle.cursor->source != source ||
	    !is_before(idle.cursor, from))
		return NULL;
	return steal(&idle.cursor);
}

/* Takes it. */
static void make_idle(struct cursor *cursor)
{
	CLEANUP(cursor_free_p) struct cursor *before = NULL;
	SCOPED_LOCK(&idle.lock);

	before = idle.cursor;
	idle.cursor = cursor;
}

static void forget_idle(const struct excerpt_source *source)
{
	CLEANUP(cursor_free_p) struct cursor *before = NULL;
	SCOPED_LOCK(&idle.lock);

	if (idle.cursor && idle.cursor->source == source)
		before = steal(&idle.cursor);
}

static void keep_rest(struct cursor *cursor, const uint8_t *data, size_t len)
{
	if (len > REST_MAX - cursor->rest_len) {
		cursor->lost = true;
		return;
	}
	memcpy(cursor->rest + cursor->rest_len, data, len);
	cursor->rest_len += len;
}

/* Passes on what of the bytes at that place is asked for, and keeps what
 * follows that. */
static int pass_on(struct cursor *cursor, const uint8_t *data, size_t len,
    uint64_t at, struct err *err)
{
	uint64_t stop = at + len;
	uint64_t begin = at < cursor->from ? cursor->from : at;
	uint64_t end = stop < cursor->end ? stop : cursor->end;
	int r = 0;

	if (begin < end)
		r = sink_write(cursor->to, data + (begin - at),
		    (size_t)(end - begin), err);
	if (r == 0 && stop > cursor->end) {
		begin = at < cursor->end ? cursor->end : at;
		keep_rest(cursor, data + (begin - at), (size_t)(stop - begin));
	}
	return r;
}

static int take(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct cursor *cursor = container_of(sink, struct cursor, sink);
	uint64_t at = cursor->out;

	cursor->out += len;
	return pass_on(cursor, data, len, at, err);
}

static int pass_rest(struct cursor *cursor, struct err *err)
{
	size_t len = cursor->rest_len;
	AUTO_FREE uint8_t *rest = malloc(len + 1);

	if (!rest)
		return err_nomem(err);
	memcpy(rest, cursor->rest, len);
	cursor->rest_len = 0;
	return pass_on(cursor, rest, len, cursor->out - len, err);
}

static int cursor_new(const struct excerpt_source *source, struct cursor **out,
    struct err *err)
{
	CLEANUP(cursor_free_p) struct cursor *cursor = malloc(sizeof(*cursor));
	int r;

	if (!cursor)
		return err_nomem(err);
	memset(cursor, 0, offsetof(struct cursor, rest));
	cursor->sink.write = take;
	cursor->source = source;
	cursor->rest_len = 0;
	cursor->lost = false;
	r = decoder_new(source->compression, &cursor->sink, UINT64_MAX,
	    &cursor->decoder, err);
	if (r == 0)
		*out = steal(&cursor);
	return r;
}

/* Decodes until all that is asked for came out, or all is decoded. */
static int decode(struct cursor *cursor, struct err *err)
{
	const struct excerpt_range *range = &cursor->source->range;
	AUTO_FREE uint8_t *piece = malloc(PIECE);
	int r = piece ? pass_rest(cursor, err) : err_nomem(err);

	while (
	    r == 0 && cursor->out < cursor->end && cursor->in < range->in_len) {
		uint64_t left = range->in_len - cursor->in;
		size_t len = left < PIECE ? (size_t)left : PIECE;

		r = parts_read(cursor->source->parts, piece, len,
		    range->in + cursor->in, WINDOW, err);
		if (r >= 0)
			r = decoder_write(cursor->decoder, piece, len, err);
		cursor->in += len;
	}
	return r < 0 ? r : 0;
}

/* Fetches the rest: a decoder with a large window does not wait for the
 * network. */
static int await_rest(void *arg, struct err *err)
{
	const struct cursor *cursor = arg;
	const struct excerpt_range *range = &cursor->source->range;
	AUTO_FREE uint8_t *piece = malloc(PIECE);
	int r = piece ? 0 : err_nomem(err);

	for (uint64_t at = cursor->in; r == 0 && at < range->in_len;) {
		uint64_t left = range->in_len - at;
		size_t len = left < PIECE ? (size_t)left : PIECE;

		r = parts_read(cursor->source->parts, piece, len,
		    range->in + at, WINDOW, err);
		at += len;
	}
	return r;
}

/* What was fetched is wrong, or the index is. */
static int is_wrong(struct excerpt_source *source, struct err *err)
{
	const struct excerpt_range *range = &source->range;

	parts_drop(source->parts, range->in, range->in_len);
	atomic_store(&source->wrong, true);
	return err_set(err, EBADMSG,
	    "the bytes from %llu on do not decode to the expected data",
	    (unsigned long long)range->in);
}

static int fetch(void *arg, const struct digest *digest, uint64_t offset,
    uint64_t len, struct sink *sink, struct err *err)
{
	struct excerpt_source *source = arg;
	const struct excerpt_range *range = &source->range;
	uint64_t from = range->skip + offset;
	CLEANUP(cursor_free_p) struct cursor *cursor = NULL;
	int r = 0;

	(void)digest;
	if (len == 0 && atomic_load(&source->wrong))
		return is_wrong(source, err);
	cursor = take_idle(source, from);
	if (!cursor) {
		r = cursor_new(source, &cursor, err);
		if (r < 0)
			return r;
		/* One that becomes idle would keep its turn. */
		if (len == 0)
			decoder_share(cursor->decoder, &windows_of_fetches,
			    await_rest, cursor);
	}
	cursor->from = from;
	cursor->end = range->skip + (len ? offset + len : range->out_len);
	cursor->to = sink;
	r = decode(cursor, err);
	if (r == -EINVAL || (r == 0 && cursor->out < cursor->end))
		return is_wrong(source, err);
	if (r == 0 && len > 0)
		make_idle(steal(&cursor));
	return r;
}

static void release(void *arg)
{
	struct excerpt_source *source = arg;

	forget_idle(source);
	parts_put(source->parts);
	free(source);
}

static int new_source(struct layer *layer, const struct excerpt_range *range,
    struct excerpt_source **out, struct err *err)
{
	const struct store_source from = origins_source(layer->origins);
	AUTO_FREE struct excerpt_source *source = malloc(sizeof(*source));
	int r;

	if (!source) {
		from.release(from.arg);
		return err_nomem(err);
	}
	source->compression = layer_index_facts(layer->index)->compression;
	source->range = *range;
	atomic_init(&source->wrong, false);
	r = store_parts(layer->table->store, &layer->digest, layer->size, &from,
	    &source->parts, err);
	if (r == 0)
		*out = steal(&source);
	return r;
}

int excerpt_open(struct layer *layer, const struct excerpt_range *range,
    const struct digest *digest, struct blob **out, struct err *err)
{
	struct store_source source = {.fetch = fetch, .release = release};
	struct excerpt_source *arg = NULL;
	int r = new_source(layer, range, &arg, err);

	if (r < 0)
		return r;
	source.arg = arg;
	return store_get(layer->table->store, digest, range->out_len, &source,
	    out, err);
}
