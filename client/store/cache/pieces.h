/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pieces of blobs in memory, where the disk has no room for them. All that the
 * store has of them is bounded; what was least recently used goes first.
 */
#ifndef STORE_PIECES_H
#define STORE_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/task.h"

enum {
	/* Of all pieces together. */
	PIECES_MAX = 16 * 1024 * 1024,
	/* What is fetched at a time of a blob that is read in order. */
	PIECE_MAX = 1024 * 1024,
	/* The last bytes of a blob that passes, as many as the pass over a
	 * layer wants to read again; and all windows together, so that there
	 * is room for other pieces. */
	WINDOW_MAX = 6 * 1024 * 1024,
	WINDOWS_MAX = 2 * WINDOW_MAX,
};

enum piece_state { PIECE_COMING, PIECE_THERE, PIECE_FAILED };

/* So many bytes from `begin` on. What of it changes is changed by who brings
 * it, before it says that it is there. */
struct piece {
	const void *owner; /* only compared */
	uint64_t begin;
	size_t len;
	size_t room; /* of the memory, which counts as long as there is any */
	uint8_t *data;

	/* In the monitor. */
	enum piece_state state;
	struct err failure; /* why it did not come */
	unsigned holds;
	bool listed; /* others find it */
	TAILQ_ENTRY(piece) link;
};

struct pieces {
	struct monitor monitor;
	/* In the monitor. */
	TAILQ_HEAD(piece_list, piece) list; /* in the order of use */
	size_t bytes;                       /* the room of all of them */
	size_t windows;                     /* of that, the windows' */
};

void pieces_init(struct pieces *pieces);
/* Nobody has any of them any more. */
void pieces_release(struct pieces *pieces);

/*
 * The piece that has the byte at off, held: 0 where it is there, 1 where it is
 * to be brought by the caller: from `begin` on, len bytes, for which there is
 * memory then. piece_brought() says how that ended. wait: for memory, as only
 * those may whom nobody needs to bring another piece; else -ENOBUFS. -EINTR,
 * -ENOMEM, or what the one who brought it failed with.
 */
int pieces_get(struct pieces *pieces, const void *owner, uint64_t off,
    uint64_t begin, size_t len, bool wait, struct piece **out, struct err *err);
void piece_brought(struct pieces *pieces, struct piece *piece, int r,
    const struct err *err);
void piece_put(struct pieces *pieces, struct piece *piece);

/* How long the piece is that ends there; 0: no piece does. */
size_t pieces_before(struct pieces *pieces, const void *owner, uint64_t end);

/* The next readers fetch them. */
void pieces_forget(struct pieces *pieces, const void *owner);

/*
 * A window: a piece without bytes that nobody else finds, with room for so
 * many. NULL where there are enough of them, or no memory. When it is closed it
 * becomes a piece of that owner, or goes with NULL.
 */
struct piece *window_open(struct pieces *pieces, size_t room);
void window_close(struct pieces *pieces, struct piece *window,
    const void *owner);

#endif
