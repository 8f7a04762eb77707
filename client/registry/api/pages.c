/* SPDX-License-Identifier: Apache-2.0 */
/* From page to page. */
#include "pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/grammar.h"

enum { LINK_SIZE = 4096 };

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

/* Whether a url goes on after no name at all, which is from the begin. */
static bool begins_again(const char *url)
{
	const char *last = strchr(url, '?');

	while (last && strncmp(last + 1, "last=", 5) != 0)
		last = strchr(last + 1, '&');
	return last && (last[6] == '\0' || last[6] == '&');
}

/* One page. Leaves the next one's url in *next, NULL at the end. Some servers
 * name a next page always: after the last one, an empty page that leads to the
 * begin. */
static int read_one(struct registry *registry, const struct call *call,
    page_fn *read, void *arg, struct page *page, char **next, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	int r = call_send(registry, call, &response, err);

	*next = NULL;
	if (r == 0 && http_status(response) == 200)
		r = find_next(registry, call, response, next, err);
	if (r == 0)
		r = read(registry, call, response, page, arg, err);
	if (r == 0 && *next && page->items == 0 && begins_again(*next)) {
		free(*next);
		*next = NULL;
	}
	return r;
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
		int r = walk_url(&walk, call->url, err);

		if (r == 0)
			r = read_one(registry, call, read, arg, &page, &next,
			    err);
		if (r != 0 || !next)
			return r;
		r = walk_page(&walk, &page, err);
		if (r == 0)
			r = call_take_url(call, steal(&next), err);
		if (r < 0)
			return r;
	}
}
