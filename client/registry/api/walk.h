/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a walk over a server's pages from going on for ever. */
#ifndef CLIENT_REGISTRY_WALK_H
#define CLIENT_REGISTRY_WALK_H

#include <stdint.h>

#include "base/err.h"

/* What was in a page: how many items, and a hash of them. */
struct page {
	uint64_t items;
	uint64_t hash;
};

/* Notes one of its items. */
void page_add(struct page *page, const char *item);

/*
 * Servers that lead in circles are found as Brent does: compare with one page
 * of the past, and take a later one for it ever more rarely. That costs the
 * memory of one url for a circle of any length.
 */
struct trail {
	char *seen;
	unsigned steps, limit;
};

/* A walk, by the urls of its pages and by what was in them: where each page
 * names another url for the next one, that is all that can repeat. */
struct pages_walk {
	struct trail urls, contents;
	uint64_t pages, items;
};

/* Frees what it has noted. A walk begins zeroed. */
void walk_release(struct pages_walk *walk);

/* Before a page is asked for: -EIO where that is where it has been. */
int walk_url(struct pages_walk *walk, const char *url, struct err *err);

/* After a page that has a next one: -EIO where it is one that was there, or
 * where pages bring next to nothing and do not end. */
int walk_page(struct pages_walk *walk, const struct page *page,
    struct err *err);

#endif
