/* SPDX-License-Identifier: Apache-2.0 */
/* From page to page. */
#include "pages.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "http/grammar.h"

enum {
	LINK_SIZE = 4096,
	/* More pages than that have to be worth it: registries give tens of
	 * entries at least, or as many as are asked for. */
	PAGES_MAX = 1000,
	PAGE_LEAST = 10, /* entries, on average */
};

/*
 * Servers that lead in circles are found as Brent does: compare with one page
 * of the past, and take a later one for it ever more rarely. That costs the
 * memory of one url for a circle of any length.
 */
struct trail {
	char *seen;
	unsigned steps, limit;
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

/* A walk, by the urls of its pages and by what was in them: where each page
 * names another url for the next one, that is all that can repeat. */
struct pages_walk {
	struct trail urls, contents;
	uint64_t pages, items;
};

static void walk_release(struct pages_walk *walk)
{
	free(walk->urls.seen);
	free(walk->contents.seen);
}

void page_add(struct page *page, const char *item)
{
	page->items++;
	page->hash = page->hash * 31 + map_hash(item);
}

static int check_url(struct pages_walk *walk, const char *url, struct err *err)
{
	int r = trail_add(&walk->urls, url, err);

	return r == 1 ? err_set(err, EIO, "the registry's pagination loops")
		      : r;
}

/* Some servers have empty pages in the middle. */
static int check_content(struct pages_walk *walk, const struct page *page,
    struct err *err)
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

/* The target of the next page: 1, or 0 at the end. A list that goes on nobody
 * knows where is an error, and not a shorter list. */
static int find_target(const struct registry *registry,
    const struct http_response *response, char target[LINK_SIZE],
    struct err *err)
{
	struct err said = ERR_INIT;
	const char *field;
	int r = 0;

	for (size_t i = 0;
	     r == 0 && (field = http_header_nth(response, "Link", i)); i++)
		r = http_link_next(field, target, LINK_SIZE, &said);
	return r >= 0 ? r
		      : err_set(err, EIO, "%s: the list has more pages, but %s",
			    registry_host(registry), said.msg);
}

/* The next page's url in *next, or NULL. After proxies Link names hosts that
 * are none: its path counts, our origin stays. */
static int find_next(const struct registry *registry, const struct call *call,
    const struct http_response *response, char **next, struct err *err)
{
	AUTO_FREE char *url = NULL;
	char target[LINK_SIZE];
	int r = find_target(registry, response, target, err);

	*next = NULL;
	if (r <= 0)
		return r;
	url = http_url_resolve(call->url, target, err);
	if (!url)
		return -err->code;
	*next = session_own_url(registry, url);
	return *next ? 0 : err_nomem(err);
}

/* One page. Leaves the next one's url in *next, NULL at the end. */
static int read_one(struct registry *registry, const struct call *call,
    page_fn *read, void *arg, struct page *page, char **next, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	int r = call_send(registry, call, &response, err);

	*next = NULL;
	if (r == 0 && http_status(response) == 200)
		r = find_next(registry, call, response, next, err);
	return r < 0 ? r : read(registry, call, response, page, arg, err);
}

int pages_walk(struct registry *registry, struct call *call, page_fn *read,
    void *arg, struct err *err)
{
	CLEANUP(walk_release) struct pages_walk walk = {0};

	call->max_redirects = CALL_REDIRECTS;
	call->retry = true;
	for (;;) {
		AUTO_FREE char *next = NULL;
		struct page page = {0};
		int r = check_url(&walk, call->url, err);

		if (r == 0)
			r = read_one(registry, call, read, arg, &page, &next,
			    err);
		if (r != 0 || !next)
			return r;
		r = check_content(&walk, &page, err);
		if (r == 0)
			r = call_take_url(call, steal(&next), err);
		if (r < 0)
			return r;
	}
}
