/* SPDX-License-Identifier: Apache-2.0 */
/* Getting bytes of a blob from its sources. */
#include "delivery.h"

#include <errno.h>

#include "base/container.h"
#include "base/file.h"
#include "cache/evict.h"

/* A connection may break now and then, but not for ever. */
enum { STALLS_MAX = 3 };

int delivery_cancelled(const struct delivery *delivery, struct err *err)
{
	return err_set(err, ECANCELED, "the fetch of blob %s was cancelled",
	    delivery->name);
}

static int write_at(struct delivery *delivery, int fd, const void *data,
    size_t len, uint64_t off, struct err *err)
{
	if (file_pwrite(fd, data, len, off, err) < 0)
		return err_wrap(err, "cannot keep blob %s in %s",
		    delivery->name, delivery->store->dir);
	return 0;
}

int delivery_write(struct delivery *delivery, int fd, const void *data,
    size_t len, uint64_t off, struct err *err)
{
	struct store *store = delivery->store;
	struct err full = ERR_INIT;
	int r = write_at(delivery, fd, data, len, off, &full);

	if ((r == -ENOSPC || r == -EDQUOT) && !delivery->made_room) {
		delivery->made_room = true;
		evict(store, delivery->end - delivery->at);
		r = write_at(delivery, fd, data, len, off, err);
	} else if (r < 0) {
		*err = full;
	}
	delivery->unwritten = r < 0;
	if (r == 0)
		store_grew(store, len);
	return r;
}

static int take(struct delivery *delivery, const void *data, size_t len,
    struct err *err)
{
	int r;

	if (delivery->unwanted(delivery))
		return delivery_cancelled(delivery, err);
	if (len > delivery->end - delivery->at)
		return err_set(err, EBADMSG,
		    "blob %s is longer than the %llu bytes it should have",
		    delivery->name, (unsigned long long)delivery->end);
	r = delivery->take(delivery, data, len, err);
	if (r < 0)
		return r;
	delivery->at += len;
	atomic_fetch_add(&delivery->store->fetched, len);
	return 0;
}

static int sink_take(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct delivery *delivery = container_of(sink, struct delivery, sink);
	uint64_t room = delivery->end - delivery->at;
	bool over = len > room && !delivery->to_end;

	if (delivery->stop.code == 0 && (room > 0 || !over))
		take(delivery, data, over ? (size_t)room : len,
		    &delivery->stop);
	if (delivery->stop.code) {
		*err = delivery->stop;
		return -err->code;
	}
	/* No failure: that is how a source learns that it can stop. */
	return over ? delivery_cancelled(delivery, err) : 0;
}

/* Asking again would only get the same answer: the request was tried again
 * where its status lets hope. */
static bool is_final(const struct err *err)
{
	return err->http != 0 || err->code == ENOENT || err->code == ENOLINK ||
	       err->code == EACCES || err->code == EPERM || err->code == EINTR;
}

static int run_from(struct delivery *delivery,
    const struct store_source *source, struct err *err)
{
	unsigned stalls = 0;

	for (;;) {
		uint64_t before = delivery->at;
		int r = source->fetch(source->arg, delivery->digest, before,
		    delivery->to_end ? 0 : delivery->end - before,
		    &delivery->sink, err);

		if (delivery->stop.code) {
			*err = delivery->stop;
			return -err->code;
		}
		if (delivery->at == delivery->end)
			return 0;
		if (delivery->unwanted(delivery))
			return delivery_cancelled(delivery, err);
		if (r == 0)
			r = err_set(err, EBADMSG,
			    "blob %s ends after %llu of %llu bytes",
			    delivery->name, (unsigned long long)delivery->at,
			    (unsigned long long)delivery->end);
		stalls = delivery->at > before ? 0 : stalls + 1;
		if (is_final(err) || stalls == STALLS_MAX)
			return r;
	}
}

/* The failure of one more source: that the blob is lost is what all of them
 * say, or it is not certain. */
static void note_failure(const struct err *failure, struct err *noted)
{
	if (noted->code != 0 && failure->code == ENOENT)
		return;
	*noted = *failure;
	if (noted->code == ENOENT)
		noted->code = ENOLINK;
}

int delivery_run(struct delivery *delivery, struct err *err)
{
	struct store_source source;
	struct err noted = ERR_INIT;
	int r =
	    err_set(err, EIO, "no source is left for blob %s", delivery->name);

	delivery->sink.write = sink_take;
	delivery->stop.code = 0;
	sources_begin(delivery->sources);
	for (unsigned i = 0; sources_get(delivery->sources, i, &source); i++) {
		r = run_from(delivery, &source, err);
		if (r < 0)
			note_failure(err, &noted);
		if (r == 0 || delivery->stop.code ||
		    delivery->unwanted(delivery))
			break;
	}
	sources_end(delivery->sources);
	if (r < 0 && noted.code)
		*err = noted;
	return r < 0 ? -err->code : 0;
}
