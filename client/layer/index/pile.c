/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes in memory, or in a file that is mapped. */
#include "pile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

enum {
	ROOM_FIRST = 64 << 10,
	/* No index of a usual layer needs a file. */
	ROOM_IN_MEMORY = 4 << 20,
	/* What is not needed in the end is on the disk as well. */
	ROOM_STEP_MAX = 64 << 20,
	/* Where the disk has no room, what is too much for memory may take as
	 * much of it, of all piles together. */
	BORROWED_MAX = 24 << 20,
	/* Each is a page, around which the kernel can map 64 KiB. */
	LOOKS_MAX = 128,
	PAGE = 4096,
};

static atomic_size_t borrowed;

void pile_init(struct pile *pile, const char *dir, size_t limit)
{
	*pile = (struct pile){.dir = dir, .limit = limit, .fd = -1};
}

/* Whether there is memory for so much. */
static bool borrow(size_t room)
{
	size_t before = atomic_fetch_add(&borrowed, room);

	if (before + room <= BORROWED_MAX)
		return true;
	atomic_fetch_sub(&borrowed, room);
	return false;
}

static void let_go(struct pile *pile)
{
	if (pile->fd < 0) {
		free(pile->data);
		if (pile->room > ROOM_IN_MEMORY)
			atomic_fetch_sub(&borrowed, pile->room);
		return;
	}
	munmap(pile->data, pile->room);
	close(pile->fd);
}

void pile_release(struct pile *pile)
{
	let_go(pile);
	pile_init(pile, pile->dir, pile->limit);
}

/* The file has all of its room on the disk: what is written to memory that has
 * none there ends the process. */
static int map(int fd, size_t room, uint8_t **out, struct err *err)
{
	int code = posix_fallocate(fd, 0, (off_t)room);
	void *data;

	if (code)
		return err_set(err, code,
		    "there is no room for %zu bytes of an index", room);
	data = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return err_sys(err, "cannot map a temporary file");
	*out = data;
	return 0;
}

/* Once what is in memory is too much, and then again for more. */
static int grow_file(struct pile *pile, size_t room, struct err *err)
{
	AUTO_FD int fd = -1;
	uint8_t *data = NULL;
	int r = 0;

	if (pile->fd < 0) {
		fd = file_temp(pile->dir, err);
		r = fd < 0 ? fd
			   : file_pwrite(fd, pile->data, pile->len, 0, err);
	}
	if (r == 0)
		r = map(fd < 0 ? pile->fd : fd, room, &data, err);
	if (r < 0)
		return r;
	if (fd < 0) {
		munmap(pile->data, pile->room);
	} else {
		let_go(pile);
		pile->fd = steal_fd(&fd);
	}
	pile->data = data;
	pile->room = room;
	return 0;
}

/* The same where the disk cannot: whether there is memory instead. */
static bool grow_borrowed(struct pile *pile, size_t room)
{
	uint8_t *data;

	if (!borrow(room))
		return false;
	data = malloc(room);
	if (!data) {
		atomic_fetch_sub(&borrowed, room);
		return false;
	}
	memcpy(data, pile->data, pile->len);
	let_go(pile);
	pile->fd = -1;
	pile->data = data;
	pile->room = room;
	return true;
}

static int grow_large(struct pile *pile, size_t room, struct err *err)
{
	struct err reason = ERR_INIT;

	if (grow_file(pile, room, &reason) == 0 || grow_borrowed(pile, room))
		return 0;
	*err = reason;
	/* It would be taken for an answer about a name in the layer. */
	if (err->code == ENOENT || err->code == ENOTDIR)
		err->code = EIO;
	return err_wrap(err,
	    "an index needs room in %s, or in another directory (option "
	    "cache)",
	    pile->dir);
}

static int grow(struct pile *pile, size_t need, struct err *err)
{
	size_t room = pile->room ? pile->room : ROOM_FIRST;
	uint8_t *data;

	while (room < need)
		room += room < ROOM_STEP_MAX ? room : ROOM_STEP_MAX;
	if (room > ROOM_IN_MEMORY)
		return grow_large(pile, room, err);
	data = realloc(pile->data, room);
	if (!data)
		return err_nomem(err);
	pile->data = data;
	pile->room = room;
	return 0;
}

void pile_rest(struct pile *pile)
{
	pile->looks = 0;
	/* The pages stay in the cache of the disk as long as there is room. */
	if (pile->fd >= 0)
		madvise(pile->data, pile->room, MADV_DONTNEED);
}

/* What was in memory long enough goes, before more comes. */
static void look(struct pile *pile, size_t len)
{
	if (pile->looks > LOOKS_MAX)
		pile_rest(pile);
	pile->looks += 1 + (unsigned)(len / PAGE);
}

int pile_add(struct pile *pile, const void *data, size_t len, size_t *out,
    struct err *err)
{
	if (len > pile->limit || pile->len > pile->limit - len)
		return err_set(err, EFBIG, "the index is larger than %zu bytes",
		    pile->limit);
	if (pile->len + len > pile->room &&
	    grow(pile, pile->len + len, err) < 0)
		return -err->code;
	look(pile, len);
	memcpy(pile->data + pile->len, data, len);
	*out = pile->len;
	pile->len += len;
	return 0;
}

void *pile_at(struct pile *pile, size_t at, size_t len)
{
	assert(at <= pile->len && len <= pile->len - at);
	look(pile, len);
	return pile->data + at;
}
