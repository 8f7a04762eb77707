/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds of a walk over pages. */
#include "walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

enum {
	/* More pages than that have to be worth it: registries give tens of
	 * entries at least, or as many as are asked for. */
	PAGES_MAX = 1000,
	PAGE_LEAST = 10, /* entries, on average */
};

/* Whether it has been there before, or -ENOMEM. */
static int trail_add(struct trail *trail, const char *step, struct err *err)
{
	if (trail->seen && strcmp(trail->seen, step) == 0)
		return 1;
	if (trail->steps++ < trail->limit)
		return 0;
	trail->steps = 0;
	trail->limit = 2 * trail->limit + 1;
	free(trail->seen);
	trail->seen = strdup(step);
	return trail->seen ? 0 : err_nomem(err);
}

void walk_release(struct pages_walk *walk)
{
	free(walk->urls.seen);
	free(walk->contents.seen);
}

void page_add(struct page *page, const char *item)
{
	page->items++;
	page->hash = page->hash * 31 + map_hash(item);
}

int walk_url(struct pages_walk *walk, const char *url, struct err *err)
{
	int r = trail_add(&walk->urls, url, err);

	return r == 1 ? err_set(err, EIO, "the registry's pagination loops")
		      : r;
}

/* Some servers have empty pages in the middle. */
int walk_page(struct pages_walk *walk, const struct page *page, struct err *err)
{
	char text[64];
	int r = 0;

	snprintf(text, sizeof(text), "%" PRIu64 " %" PRIx64, page->items,
	    page->hash);
	if (page->items > 0)
		r = trail_add(&walk->contents, text, err);
	if (r == 1)
		return err_set(err, EIO,
		    "the registry's pagination repeats a page");
	walk->pages++;
	walk->items += page->items;
	if (r == 0 && walk->pages > PAGES_MAX &&
	    walk->items / walk->pages < PAGE_LEAST)
		return err_set(err, EIO,
		    "the registry's pagination does not end: %" PRIu64
		    " pages had %" PRIu64 " entries",
		    walk->pages, walk->items);
	return r;
}
