/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for blocks of a blob. */
#include "flight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/container.h"
#include "base/log.h"
#include "base/turn.h"
#include "cache/room.h"
#include "transfer/delivery.h"

struct flight {
	struct delivery delivery;
	struct parts *parts;
	struct openfile *file;
	bool abandoned; /* nobody is to be told why it ended */
	bool unwritten; /* it ended because the disk could not keep it */
	size_t filled;  /* bytes of the block that is arriving */

	/* In the parts' monitor. */
	LIST_ENTRY(flight) link;
	unsigned refs;       /* of the job, and of who waits */
	uint64_t next, last; /* the blocks that are still to come */
	struct turn turn;    /* at bringing them; it has one */

	unsigned char block[PARTS_BLOCK];
};

static void flight_put(struct flight *flight)
{
	if (--flight->refs > 0)
		return;
	openfile_put(flight->file);
	free(flight);
}

static bool unwanted(struct delivery *delivery)
{
	struct flight *flight = container_of(delivery, struct flight, delivery);
	struct parts *parts = flight->parts;
	bool replaced;

	monitor_enter(&parts->monitor);
	replaced = parts->file != flight->file;
	monitor_leave(&parts->monitor);
	if (replaced || atomic_load(&parts->opened) == 0)
		flight->abandoned = true;
	return flight->abandoned || atomic_load(&parts->store->closing);
}

/* Writes what ends a block, from the start of one on, and lets it be read. */
static int write_blocks(struct flight *flight, const void *data, size_t len,
    uint64_t off, struct err *err)
{
	struct parts *parts = flight->parts;
	int r = delivery_write(&flight->delivery, flight->file->fd, data, len,
	    off, err);

	if (r < 0)
		return r;
	monitor_enter(&parts->monitor);
	flight->next = blocks_last(off + len);
	partset_publish(parts, flight->file, blocks_first(off), flight->next);
	monitor_notify(&parts->monitor);
	monitor_leave(&parts->monitor);
	return 0;
}

/* Adds to the block that is arriving; how many bytes, or an error. */
static ssize_t fill_block(struct flight *flight, const void *data, size_t len,
    uint64_t off, struct err *err)
{
	uint64_t start = off - flight->filled;
	uint64_t end = start + PARTS_BLOCK;
	int r;

	if (end > flight->delivery.end)
		end = flight->delivery.end;
	if (len > end - off)
		len = (size_t)(end - off);
	memcpy(flight->block + flight->filled, data, len);
	flight->filled += len;
	if (off + len < end)
		return (ssize_t)len;
	r = write_blocks(flight, flight->block, flight->filled, start, err);
	flight->filled = 0;
	return r < 0 ? r : (ssize_t)len;
}

/*
 * Blocks are written whole: what the file has of one is all of it, so that the
 * next process can tell from the holes what is there.
 */
static int take_bytes(struct delivery *delivery, const void *data, size_t len,
    struct err *err)
{
	struct flight *flight = container_of(delivery, struct flight, delivery);
	const char *p = data;
	uint64_t off = delivery->at;

	while (len > 0) {
		size_t blocks = len - len % PARTS_BLOCK;
		ssize_t n = (ssize_t)blocks;

		if (flight->filled > 0 || blocks == 0)
			n = fill_block(flight, p, len, off, err);
		else if (write_blocks(flight, p, blocks, off, err) < 0)
			n = -err->code;
		if (n < 0)
			return (int)n;
		p += n;
		len -= (size_t)n;
		off += (uint64_t)n;
	}
	return 0;
}

static int bring(struct flight *flight, struct err *err)
{
	struct parts *parts = flight->parts;
	struct delivery *delivery = &flight->delivery;
	int r = partset_take_whole(parts, err);

	if (r == 0)
		r = room_check(parts->store, delivery->end - delivery->at, err);
	if (r == 0)
		r = partset_open(parts, &flight->file, err);
	flight->unwritten = r < 0;
	if (r <= 0 || !flight->file)
		return r;
	log_debug(LOG_STORE, "fetch of %s, bytes %llu to %llu", parts->name,
	    (unsigned long long)delivery->at,
	    (unsigned long long)delivery->end);
	r = delivery_run(delivery, err);
	flight->unwritten = r < 0 && delivery->unwritten;
	return r;
}

static void fly(void *arg)
{
	struct flight *flight = arg;
	CLEANUP(partset_put_p) struct parts *parts = flight->parts;
	struct err err = ERR_INIT;
	int r;

	budget_be_patient();
	r = bring(flight, &err);
	if (flight->unwritten)
		room_lacks(parts->store, &err);

	monitor_enter(&parts->monitor);
	LIST_REMOVE(flight, link);
	turn_end(&flight->turn, &parts->monitor,
	    r < 0 && !flight->abandoned ? &err : NULL);
	flight_put(flight);
	monitor_leave(&parts->monitor);
}

static struct flight *flight_new(struct parts *parts, uint64_t first,
    uint64_t last)
{
	struct flight *flight = malloc(sizeof(*flight));

	if (!flight)
		return NULL;
	memset(flight, 0, offsetof(struct flight, block));
	flight->delivery = (struct delivery){
	    .store = parts->store,
	    .digest = &parts->digest,
	    .name = parts->name,
	    .sources = &parts->sources,
	    .at = first * PARTS_BLOCK,
	    .end = blocks_end(&parts->there, last),
	    .take = take_bytes,
	    .unwanted = unwanted,
	};
	flight->parts = parts;
	flight->refs = 1;
	flight->next = first;
	flight->last = last;
	turn_take(&flight->turn, 0);
	return flight;
}

int flight_start(struct parts *parts, uint64_t first, uint64_t last,
    struct err *err)
{
	AUTO_FREE struct flight *flight = flight_new(parts, first, last);
	struct store *store = parts->store;
	int r;

	if (!flight)
		return err_nomem(err);
	r = pool_submit(store->parts_fetchers, fly, flight, err);
	if (r < 0)
		return r;
	/* It waits for the monitor before it ends. */
	partset_get(parts);
	LIST_INSERT_HEAD(&parts->flights, flight, link);
	atomic_fetch_add(&store->fetches, 1);
	steal(&flight);
	return 0;
}

static struct flight *find(const struct parts *parts, uint64_t block)
{
	struct flight *flight;

	LIST_FOREACH(flight, &parts->flights, link)
	if (block >= flight->next && block < flight->last)
		break;
	return flight;
}

bool flight_brings(const struct parts *parts, uint64_t block)
{
	return find(parts, block) != NULL;
}

int flight_await(struct parts *parts, uint64_t first, uint64_t last,
    struct err *err)
{
	struct flight *flight = find(parts, first);
	const unsigned since = turn_watch(&flight->turn);
	int r = 0;

	flight->refs++;
	if (last > flight->last)
		last = flight->last;
	while (flight->next < last && flight->turn.taken && !parts->whole &&
	       r == 0)
		r = monitor_wait(&parts->monitor);
	if (r < 0) {
		r = err_set(err, EINTR,
		    "interrupted while waiting for parts of blob %s",
		    parts->name);
	} else if (flight->next < last) {
		r = turn_failed(&flight->turn, since, err);
		if (r < 0 && flight->unwritten)
			r = 1;
	}
	flight_put(flight);
	return r;
}
