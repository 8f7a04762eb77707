/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a blob as their users have them. */
#include "store/parts.h"

#include <errno.h>

#include "base/budget.h"
#include "base/file.h"
#include "flight.h"
#include "partset.h"

int store_parts(struct store *store, const struct digest *digest, uint64_t size,
    const struct store_source *source, struct parts **out, struct err *err)
{
	int r = digest_check_size(digest, size, err);

	if (r == 0)
		r = partset_find(store, digest, size, out, err);
	if (r < 0) {
		source->release(source->arg);
		return err_wrap(err, "cannot open parts of a blob");
	}
	atomic_fetch_add(&(*out)->opened, 1);
	/* Also where the whole blob is there: it may turn out damaged. */
	sources_add(&(*out)->sources, source);
	r = partset_take_in_place(*out, err);
	if (r < 0)
		parts_put(*out);
	return r < 0 ? r : 0;
}

void parts_put(struct parts *parts)
{
	if (!parts)
		return;
	atomic_fetch_sub(&parts->opened, 1);
	partset_put(parts);
}

uint64_t parts_size(const struct parts *parts)
{
	return parts->size;
}

/* The blocks of a read, and how far a fetch for it may go. */
struct want {
	uint64_t first, last, reach;
};

static struct want want_of(const struct parts *parts, uint64_t off, size_t len,
    uint64_t window)
{
	uint64_t most = parts->size - off;

	if (window < len)
		window = len;
	return (struct want){blocks_first(off), blocks_last(off + len),
	    blocks_last(off + (window < most ? window : most))};
}

/* In the monitor, as what follows. */
static bool is_lacking(const struct parts *parts, uint64_t block)
{
	return !blocks_has(&parts->there, block) &&
	       !flight_brings(parts, block);
}

/* Starts flights for what is neither there nor on its way. */
static int request(struct parts *parts, const struct want *want,
    struct err *err)
{
	uint64_t end;

	for (uint64_t block = want->first; block < want->last; block = end) {
		int r = 0;

		end = block;
		while (end < want->reach && is_lacking(parts, end))
			end++;
		if (end > block)
			r = flight_start(parts, block, end, err);
		else
			end++;
		if (r < 0)
			return r;
	}
	return 0;
}

/* The first block that is not there; want->last if all are. */
static uint64_t first_missing(const struct parts *parts,
    const struct want *want)
{
	uint64_t block = want->first;

	while (block < want->last && blocks_has(&parts->there, block))
		block++;
	return block;
}

/* Waits until all that is wanted is there: 0, or 1 where the disk has no room
 * for it. */
static int await(struct parts *parts, const struct want *want, struct err *err)
{
	const uint64_t since = budget_clock();

	while (!parts->whole) {
		uint64_t block = first_missing(parts, want);
		int r;

		if (block == want->last)
			break;
		r = budget_recall(parts->shared.key, err);
		if (r == 0)
			r = request(parts, want, err);
		if (r < 0)
			return r;
		r = flight_await(parts, block, want->last, err);
		if (r < 0)
			budget_waited(parts->shared.key, since, err);
		if (r != 0)
			return r;
	}
	return 0;
}

int parts_read(struct parts *parts, void *data, size_t len, uint64_t off,
    uint64_t window, struct err *err)
{
	CLEANUP(openfile_put_p) struct openfile *file = NULL;
	struct want want;
	ssize_t n;
	int r;

	if (off > parts->size || len > parts->size - off)
		return err_set(err, EINVAL,
		    "blob %s has no such part: it ends after %llu bytes",
		    parts->name, (unsigned long long)parts->size);
	if (len == 0)
		return 0;
	want = want_of(parts, off, len, window);
	monitor_enter(&parts->monitor);
	r = await(parts, &want, err);
	if (r == 0)
		file = openfile_get(parts->file);
	monitor_leave(&parts->monitor);
	if (r == 1) {
		r = unkept_read(&parts->unkept, data, len, off, window, err);
		if (r < 0)
			budget_note(parts->shared.key, err);
		return r;
	}
	if (r < 0)
		return r;
	n = file_pread(file->fd, data, len, off, err);
	if (n < 0)
		return err_wrap(err, "parts of blob %s", parts->name);
	if ((size_t)n < len)
		return err_set(err, EBADMSG,
		    "the file of blob %s became shorter", parts->name);
	return 0;
}

void parts_drop(struct parts *parts, uint64_t off, uint64_t len)
{
	sources_wrong(&parts->sources, &parts->digest);
	unkept_drop(&parts->unkept);
	if (off > parts->size || len > parts->size - off ||
	    partset_drop_whole(parts))
		return;
	/* They are overwritten where they are. A hole in their place would be
	 * read as zeros by readers that know that they are there. */
	monitor_enter(&parts->monitor);
	blocks_set(&parts->there, blocks_first(off), blocks_last(off + len),
	    false);
	monitor_leave(&parts->monitor);
}

uint64_t parts_cached(struct parts *parts)
{
	uint64_t bytes;

	monitor_enter(&parts->monitor);
	bytes = parts->whole ? parts->size : blocks_bytes(&parts->there);
	monitor_leave(&parts->monitor);
	return bytes;
}
