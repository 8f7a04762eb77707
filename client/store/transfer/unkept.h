/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blob for which the disk has no room. It passes once, and is verified; a
 * reader in order finds the last of its bytes meanwhile in a window in memory.
 * From then on what is read of it is fetched again, a piece at a time, and
 * compared with the digests of its blocks.
 *
 * Parts of blobs have no digests, and do not pass: pieces of them are fetched.
 */
#ifndef STORE_UNKEPT_H
#define STORE_UNKEPT_H

#include "cache/pieces.h"
#include "cache/state.h"
#include "digests.h"
#include "sources.h"

struct unkept {
	struct store *store;
	const struct digest *digest;
	const char *name; /* the digest, for messages */
	struct sources *sources;
	uint64_t size;
	struct digests *digests; /* NULL: readers compare it */
	struct piece *window;    /* while it passes; may be NULL */
	int64_t began, ended;    /* passing, in ms */
	struct unkept *before;   /* that some may still be reading from */
};

/* For a blob that passes: with digests, and a window where there is memory for
 * one. What it is of is borrowed. NULL on failure, err filled. */
struct unkept *unkept_new(const struct unkept *of, struct err *err);
/* With those before it. */
void unkept_free(struct unkept *unkept);

/*
 * Reads len bytes at off, all of them inside the blob, which may be fetched for
 * that; where the caller goes on, as many as end `window` bytes after off come
 * in the same request. -EILSEQ where they are not those that passed, -EINTR,
 * or what the sources failed with.
 */
int unkept_read(struct unkept *unkept, void *data, size_t len, uint64_t off,
    uint64_t window, struct err *err);

/* They were wrong: the next read fetches them. */
void unkept_drop(struct unkept *unkept);

/* For the window; called by one at a time. Whether it has these bytes. */
bool unkept_passes(const struct unkept *unkept, uint64_t off, uint64_t end);
/* Whether that byte was in it, and is no more. */
bool unkept_has_passed(const struct unkept *unkept, uint64_t off);
/* Copies some that it has. */
void unkept_copy(const struct unkept *unkept, void *data, size_t len,
    uint64_t off);
/* Whether len more bytes can follow without the loss of one that is still
 * wanted by readers who asked for all before `asked`. */
bool unkept_may_pass(const struct unkept *unkept, size_t len, uint64_t asked);
/* The next bytes. */
void unkept_pass(struct unkept *unkept, const void *data, size_t len,
    uint64_t off);

/* Whether it is time to look whether the blob can be kept after all: for that
 * all of it comes once more. */
bool unkept_may_end(const struct unkept *unkept);

/* Takes the window from its readers, in the same place: what is in it can be
 * read like another piece, once all of the blob was right. */
struct piece *unkept_take_window(struct unkept *unkept);
void unkept_list_window(struct unkept *unkept, struct piece *window);

#endif
