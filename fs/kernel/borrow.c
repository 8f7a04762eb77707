/* SPDX-License-Identifier: Apache-2.0 */
/* Handles of files that nobody opens. */
#include "borrow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/lock.h"

/* More files are seldom read at a time, and each may hold a descriptor. */
enum { SLOTS = 32 };

struct slot {
	struct handle *handle; /* NULL: free */
	unsigned users;
	uint64_t used; /* when it was last given back */
};

struct borrowed {
	pthread_mutex_t lock;
	struct slot slots[SLOTS]; /* under lock, as what follows */
	uint64_t clock;
};

struct borrowed *borrowed_new(struct err *err)
{
	struct borrowed *borrowed = calloc(1, sizeof(*borrowed));

	if (borrowed)
		pthread_mutex_init(&borrowed->lock, NULL);
	else
		err_nomem(err);
	return borrowed;
}

void borrowed_free(struct borrowed *borrowed)
{
	if (!borrowed)
		return;
	pthread_mutex_destroy(&borrowed->lock);
	free(borrowed);
}

static struct handle *find(struct borrowed *borrowed, fuse_ino_t ino)
{
	SCOPED_LOCK(&borrowed->lock);
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &borrowed->slots[i];

		if (slot->handle && slot->handle->node->ino == ino) {
			slot->users++;
			return slot->handle;
		}
	}
	return NULL;
}

/* Keeps the handle in the place of the one that was not used for longest:
 * which is then to be closed. NULL; or handle itself where all are in use. */
static struct handle *keep(struct borrowed *borrowed, struct handle *handle)
{
	struct slot *oldest = NULL;
	struct handle *before;

	SCOPED_LOCK(&borrowed->lock);
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &borrowed->slots[i];

		if (slot->users == 0 && (!oldest || slot->used < oldest->used))
			oldest = slot;
	}
	if (!oldest)
		return handle;
	before = oldest->handle;
	*oldest = (struct slot){handle, 0, ++borrowed->clock};
	return before;
}

/* 1 if it is kept, and given back. */
static bool give_back(struct borrowed *borrowed, const struct handle *handle)
{
	SCOPED_LOCK(&borrowed->lock);
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &borrowed->slots[i];

		if (slot->handle != handle)
			continue;
		slot->users--;
		slot->used = ++borrowed->clock;
		return true;
	}
	return false;
}

static struct handle *open_handle(struct op *op, fuse_ino_t ino)
{
	CLEANUP(handle_free_p)
	struct handle *handle = handle_new(op, op_node(op, ino));

	if (!handle)
		return NULL;
	if (!handle->node->view->open) {
		err_set(&op->err, EISDIR, "is a directory");
		return NULL;
	}
	if (handle->node->view->open(handle->node, O_RDONLY, handle, &op->err) <
	    0)
		return NULL;
	return steal(&handle);
}

struct handle *borrow(struct op *op, fuse_ino_t ino)
{
	struct handle *handle = find(op->mount->borrowed, ino);

	return handle ? handle : open_handle(op, ino);
}

void borrow_return(struct mount *mount, struct handle *handle)
{
	struct handle *unused = NULL;

	if (give_back(mount->borrowed, handle))
		return;
	/* What is another each time it is opened is of no use again, and what
	 * has nothing to close costs nothing to open. */
	if (handle->direct || !handle->node->view->close)
		unused = handle;
	else
		unused = keep(mount->borrowed, handle);
	if (unused)
		handle_close(unused);
}
