/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of blobs in memory. */
#include "pieces.h"

#include <errno.h>
#include <stdlib.h>

void pieces_init(struct pieces *pieces)
{
	monitor_init(&pieces->monitor);
	TAILQ_INIT(&pieces->list);
	pieces->bytes = 0;
	pieces->windows = 0;
}

/* All of what follows is called in the monitor, but for the functions of the
 * header. */

static void piece_free(struct pieces *pieces, struct piece *piece)
{
	pieces->bytes -= piece->room;
	free(piece->data);
	free(piece);
	monitor_notify(&pieces->monitor);
}

/* Nobody finds it any more. */
static void unlist(struct pieces *pieces, struct piece *piece)
{
	TAILQ_REMOVE(&pieces->list, piece, link);
	piece->listed = false;
	if (piece->holds == 0)
		piece_free(pieces, piece);
}

static void list(struct pieces *pieces, struct piece *piece)
{
	TAILQ_INSERT_TAIL(&pieces->list, piece, link);
	piece->listed = true;
}

void pieces_release(struct pieces *pieces)
{
	while (!TAILQ_EMPTY(&pieces->list))
		unlist(pieces, TAILQ_FIRST(&pieces->list));
	monitor_release(&pieces->monitor);
}

static bool has(const struct piece *piece, const void *owner, uint64_t off)
{
	return piece->owner == owner && off >= piece->begin &&
	       off - piece->begin < piece->len;
}

static struct piece *find(struct pieces *pieces, const void *owner,
    uint64_t off)
{
	struct piece *piece;

	TAILQ_FOREACH(piece, &pieces->list, link)
	if (has(piece, owner, off))
		break;
	return piece;
}

static int interrupted(struct err *err)
{
	return err_set(err, EINTR, "interrupted while waiting for a blob");
}

/* Makes what nobody holds give way. Whether there is room then. */
static bool make_room(struct pieces *pieces, size_t room)
{
	struct piece *piece = TAILQ_FIRST(&pieces->list);

	while (piece && pieces->bytes + room > PIECES_MAX) {
		struct piece *next = TAILQ_NEXT(piece, link);

		if (piece->holds == 0)
			unlist(pieces, piece);
		piece = next;
	}
	return pieces->bytes + room <= PIECES_MAX;
}

/* Memory for the piece, once there is some. */
static int reserve(struct pieces *pieces, struct piece *piece, struct err *err)
{
	while (!make_room(pieces, piece->len))
		if (monitor_wait(&pieces->monitor) < 0)
			return interrupted(err);
	piece->data = malloc(piece->len);
	if (!piece->data)
		return err_nomem(err);
	piece->room = piece->len;
	pieces->bytes += piece->room;
	return 0;
}

static void end_bringing(struct pieces *pieces, struct piece *piece, int r,
    const struct err *err)
{
	piece->state = r < 0 ? PIECE_FAILED : PIECE_THERE;
	if (r < 0) {
		piece->failure = *err;
		if (piece->listed)
			unlist(pieces, piece);
	}
	monitor_notify(&pieces->monitor);
}

static void put(struct pieces *pieces, struct piece *piece)
{
	piece->holds--;
	if (!piece->listed && piece->holds == 0)
		piece_free(pieces, piece);
	else
		monitor_notify(&pieces->monitor);
}

/* One that is coming, and the caller's to bring: 1. */
static int announce(struct pieces *pieces, const void *owner, uint64_t begin,
    size_t len, struct piece **out, struct err *err)
{
	struct piece *piece = calloc(1, sizeof(*piece));
	int r;

	if (!piece)
		return err_nomem(err);
	piece->owner = owner;
	piece->begin = begin;
	piece->len = len;
	piece->holds = 1;
	list(pieces, piece);
	r = reserve(pieces, piece, err);
	if (r < 0) {
		end_bringing(pieces, piece, r, err);
		put(pieces, piece);
		return r;
	}
	*out = piece;
	return 1;
}

/* Waits for what another brings. -EAGAIN: who did not want to wait for it. */
static int await(struct pieces *pieces, struct piece *piece, struct err *err)
{
	while (piece->state == PIECE_COMING)
		if (monitor_wait(&pieces->monitor) < 0)
			return interrupted(err);
	if (piece->state == PIECE_THERE)
		return 0;
	if (piece->failure.code == EINTR)
		return -EAGAIN;
	*err = piece->failure;
	return -err->code;
}

static int share(struct pieces *pieces, struct piece *piece, struct err *err)
{
	int r;

	piece->holds++;
	TAILQ_REMOVE(&pieces->list, piece, link);
	TAILQ_INSERT_TAIL(&pieces->list, piece, link);
	r = await(pieces, piece, err);
	if (r < 0)
		put(pieces, piece);
	return r;
}

int pieces_get(struct pieces *pieces, const void *owner, uint64_t off,
    uint64_t begin, size_t len, bool wait, struct piece **out, struct err *err)
{
	int r;

	monitor_enter(&pieces->monitor);
	do {
		*out = find(pieces, owner, off);
		if (*out)
			r = share(pieces, *out, err);
		else if (wait || make_room(pieces, len))
			r = announce(pieces, owner, begin, len, out, err);
		else
			r = err_set(err, ENOBUFS, "no memory for a piece");
	} while (r == -EAGAIN);
	monitor_leave(&pieces->monitor);
	return r;
}

void piece_brought(struct pieces *pieces, struct piece *piece, int r,
    const struct err *err)
{
	monitor_enter(&pieces->monitor);
	end_bringing(pieces, piece, r, err);
	monitor_leave(&pieces->monitor);
}

void piece_put(struct pieces *pieces, struct piece *piece)
{
	monitor_enter(&pieces->monitor);
	put(pieces, piece);
	monitor_leave(&pieces->monitor);
}

size_t pieces_before(struct pieces *pieces, const void *owner, uint64_t end)
{
	struct piece *piece;
	size_t len;

	monitor_enter(&pieces->monitor);
	piece = end > 0 ? find(pieces, owner, end - 1) : NULL;
	len = piece ? piece->len : 0;
	monitor_leave(&pieces->monitor);
	return len;
}

void pieces_forget(struct pieces *pieces, const void *owner)
{
	struct piece *piece;

	monitor_enter(&pieces->monitor);
	piece = TAILQ_FIRST(&pieces->list);
	while (piece) {
		struct piece *next = TAILQ_NEXT(piece, link);

		if (piece->owner == owner)
			unlist(pieces, piece);
		piece = next;
	}
	monitor_leave(&pieces->monitor);
}

struct piece *window_open(struct pieces *pieces, size_t room)
{
	AUTO_FREE struct piece *window = calloc(1, sizeof(*window));

	if (!window || !(window->data = malloc(room ? room : 1)))
		return NULL;
	monitor_enter(&pieces->monitor);
	if (pieces->windows + room <= WINDOWS_MAX && make_room(pieces, room)) {
		window->room = room;
		window->holds = 1;
		pieces->bytes += room;
		pieces->windows += room;
	}
	monitor_leave(&pieces->monitor);
	if (!window->holds) {
		free(window->data);
		return NULL;
	}
	return steal(&window);
}

void window_close(struct pieces *pieces, struct piece *window,
    const void *owner)
{
	if (!window)
		return;
	monitor_enter(&pieces->monitor);
	pieces->windows -= window->room;
	window->owner = owner;
	window->state = PIECE_THERE;
	if (owner && window->len > 0)
		list(pieces, window);
	put(pieces, window);
	monitor_leave(&pieces->monitor);
}
