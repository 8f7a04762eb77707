/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs for which the disk has no room. */
#include "unkept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/budget.h"
#include "base/container.h"
#include "cache/room.h"
#include "delivery.h"

enum {
	/* How far a blob may come ahead of its readers, who ask for the next
	 * bytes in any order. */
	AHEAD = 512 * 1024,
	/* Of a window that is full, so much stays. */
	WINDOW_STAYS = WINDOW_MAX / 2,
	/* A source may give other bytes the next time. */
	TRIES = 2,
	/* It passed, and that again is not to take more than a small part of
	 * the time. */
	PAUSE_FACTOR = 10,
	PAUSE_MIN = 1000, /* ms */
};

/* Bytes that come into memory. */
struct fetched {
	struct delivery delivery;
	uint8_t *data;
	uint64_t begin;
};

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

struct unkept *unkept_new(const struct unkept *of, struct err *err)
{
	size_t room = of->size < WINDOW_MAX ? (size_t)of->size : WINDOW_MAX;
	AUTO_FREE struct unkept *unkept = malloc(sizeof(*unkept));

	if (!unkept) {
		err_nomem(err);
		return NULL;
	}
	*unkept = *of;
	unkept->digests = digests_new(err);
	if (!unkept->digests)
		return NULL;
	unkept->window = window_open(&unkept->store->pieces, room);
	unkept->began = now();
	return steal(&unkept);
}

void unkept_free(struct unkept *unkept)
{
	while (unkept) {
		struct unkept *before = unkept->before;

		window_close(&unkept->store->pieces, unkept->window, NULL);
		pieces_forget(&unkept->store->pieces, unkept);
		digests_free(unkept->digests);
		free(unkept);
		unkept = before;
	}
}

void unkept_drop(struct unkept *unkept)
{
	pieces_forget(&unkept->store->pieces, unkept);
}

static int take(struct delivery *delivery, const void *data, size_t len,
    struct err *err)
{
	struct fetched *fetched =
	    container_of(delivery, struct fetched, delivery);

	(void)err;
	memcpy(fetched->data + (delivery->at - fetched->begin), data, len);
	return 0;
}

static bool unwanted(struct delivery *delivery)
{
	return atomic_load(&delivery->store->closing);
}

static int fetch_once(struct unkept *unkept, void *data, size_t len,
    uint64_t off, struct err *err)
{
	struct fetched fetched = {
	    .delivery = {.store = unkept->store,
		.digest = unkept->digest,
		.name = unkept->name,
		.sources = unkept->sources,
		.at = off,
		.end = off + len,
		.take = take,
		.unwanted = unwanted},
	    .data = data,
	    .begin = off,
	};
	int r;

	atomic_fetch_add(&unkept->store->fetches, 1);
	r = delivery_run(&fetched.delivery, err);
	if (r == 0 && unkept->digests)
		r = digests_check(unkept->digests, data, len, off, err);
	return r;
}

static int fetch(struct unkept *unkept, void *data, size_t len, uint64_t off,
    struct err *err)
{
	struct err reason = ERR_INIT;
	int r = -EBADMSG;

	if (budget_recall(unkept->name, err) < 0)
		return -err->code;
	budget_be_patient();
	for (int i = 0; r == -EBADMSG && i < TRIES; i++) {
		r = fetch_once(unkept, data, len, off, &reason);
		if (r == -EBADMSG)
			sources_wrong(unkept->sources, unkept->digest);
	}
	if (r == 0)
		return 0;
	*err = reason;
	budget_note(unkept->name, err);
	/* What was read of it before was right. */
	if (r == -EBADMSG && unkept->digests)
		err->code = EILSEQ;
	return -err->code;
}

/* The piece to fetch for a reader at off. */
static uint64_t choose(struct unkept *unkept, uint64_t off, uint64_t window,
    size_t *len)
{
	const size_t block = unkept->digests ? DIGESTS_BLOCK : 1;
	uint64_t begin = off - off % block;
	uint64_t left = unkept->size - begin;
	uint64_t want = off - begin + (window < PIECE_MAX ? window : PIECE_MAX);

	want += (block - want % block) % block;
	if (want > PIECE_MAX)
		want = PIECE_MAX;
	*len = want < left ? (size_t)want : (size_t)left;
	return begin;
}

/* Copies what one piece has of it: how much, or an error. */
static ssize_t read_piece(struct unkept *unkept, void *data, size_t len,
    uint64_t off, uint64_t window, struct err *err)
{
	struct pieces *pieces = &unkept->store->pieces;
	const uint64_t since = budget_clock();
	struct piece *piece;
	size_t room, skip;
	uint64_t begin = choose(unkept, off, window, &room);
	/* A blob that has digests may be made of parts of another. */
	int r = pieces_get(pieces, unkept, off, begin, room, unkept->digests,
	    &piece, err);

	if (r == 1) {
		r = fetch(unkept, piece->data, room, begin, err);
		piece_brought(pieces, piece, r, err);
		if (r < 0)
			piece_put(pieces, piece);
	} else if (r < 0) {
		budget_waited(unkept->name, since, err);
	}
	if (r < 0)
		return r;
	skip = (size_t)(off - piece->begin);
	if (len > piece->len - skip)
		len = piece->len - skip;
	memcpy(data, piece->data + skip, len);
	piece_put(pieces, piece);
	return (ssize_t)len;
}

/* Who reads what follows a piece gets twice as much in the next. */
static uint64_t window_at(struct unkept *unkept, uint64_t off, size_t len)
{
	uint64_t begin = off - off % DIGESTS_BLOCK;
	uint64_t twice =
	    2 * (uint64_t)pieces_before(&unkept->store->pieces, unkept, begin);

	return twice > len ? twice : len;
}

int unkept_read(struct unkept *unkept, void *data, size_t len, uint64_t off,
    uint64_t window, struct err *err)
{
	uint8_t *to = data;

	/* It needs no other place than its reader's. */
	if (!unkept->digests && (window <= len || len >= PIECE_MAX))
		return len > 0 ? fetch(unkept, data, len, off, err) : 0;
	while (len > 0) {
		uint64_t want =
		    unkept->digests ? window_at(unkept, off, len) : window;
		struct err reason = ERR_INIT;
		ssize_t n = read_piece(unkept, to, len, off, want, &reason);

		if (n == -ENOBUFS)
			return fetch(unkept, to, len, off, err);
		if (n < 0)
			*err = reason;
		if (n < 0)
			return (int)n;
		to += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

bool unkept_passes(const struct unkept *unkept, uint64_t off, uint64_t end)
{
	const struct piece *window = unkept->window;

	return window && off >= window->begin &&
	       end <= window->begin + window->len && end < unkept->size;
}

bool unkept_has_passed(const struct unkept *unkept, uint64_t off)
{
	const struct piece *window = unkept->window;

	return window && window->len > 0 && off < window->begin;
}

void unkept_copy(const struct unkept *unkept, void *data, size_t len,
    uint64_t off)
{
	const struct piece *window = unkept->window;

	memcpy(data, window->data + (off - window->begin), len);
}

bool unkept_may_pass(const struct unkept *unkept, size_t len, uint64_t asked)
{
	const struct piece *window = unkept->window;

	return !window || window->len + len <= window->room ||
	       window->begin + window->len <= asked + AHEAD;
}

void unkept_pass(struct unkept *unkept, const void *data, size_t len,
    uint64_t off)
{
	struct piece *window = unkept->window;
	const uint8_t *bytes = data;

	if (!window)
		return;
	if (len > window->room) {
		off += len - window->room;
		bytes += len - window->room;
		len = window->room;
		window->len = 0;
	}
	if (window->len == 0)
		window->begin = off;
	if (window->len + len > window->room) {
		size_t stays = window->room - len < WINDOW_STAYS
				   ? window->room - len
				   : WINDOW_STAYS;

		stays = window->len < stays ? window->len : stays;
		memmove(window->data, window->data + window->len - stays,
		    stays);
		window->begin += window->len - stays;
		window->len = stays;
	}
	memcpy(window->data + window->len, bytes, len);
	window->len += len;
}

bool unkept_may_end(const struct unkept *unkept)
{
	int64_t pause = PAUSE_FACTOR * (unkept->ended - unkept->began);

	if (pause < PAUSE_MIN)
		pause = PAUSE_MIN;
	return now() - unkept->ended >= pause &&
	       room_is_free(unkept->store, unkept->size);
}

struct piece *unkept_take_window(struct unkept *unkept)
{
	unkept->ended = now();
	return steal(&unkept->window);
}

void unkept_list_window(struct unkept *unkept, struct piece *window)
{
	window_close(&unkept->store->pieces, window, unkept);
}
