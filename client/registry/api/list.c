/* SPDX-License-Identifier: Apache-2.0 */
/* Lists: repositories and tags, page by page. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "answer/reply.h"
#include "call.h"
#include "names.h"
#include "oci/reference.h"
#include "pages.h"

enum {
	/* What registries give at most; ECR and docker's refuse more. */
	CATALOG_PAGE = 1000,
	/* A page is read in constant memory. This is for a server that does not
	 * come to an end: a million names of the greatest length, in one page
	 * or many. */
	LIST_MAX_BYTES = 256 << 20,
	/* Of a page for browsers, as much as has words in it. */
	BEGIN_SIZE = 4096,
};

/* A list on its way to the caller. */
struct names_list {
	const char *what;   /* it is, for messages */
	const char *member; /* of the JSON object */
	bool (*valid)(const char *name, size_t len);
	source_name_fn *each;
	void *arg;
	unsigned long pages; /* read so far */
	uint64_t bytes;      /* of them */
	struct page *page;   /* that is being read */
	bool is_page;        /* refused with one, maybe by a gateway */
};

static bool is_repository(const char *name, size_t len)
{
	return len <= REPOSITORY_MAX && repository_valid(name);
}

/* Old servers list nulls, digests and what else was stored as a tag. */
static int pass_on(void *arg, const char *name, size_t len, struct err *err)
{
	struct names_list *list = arg;

	if (!list->valid(name, len))
		return 0;
	page_add(list->page, name);
	return list->each(list->arg, name, err);
}

/* The begin of a page, for a message about what is no list. */
struct begin {
	size_t len;
	char text[BEGIN_SIZE + 1];
};

static void begin_add(struct begin *begin, const char *data, size_t len)
{
	size_t room = BEGIN_SIZE - begin->len;

	memcpy(begin->text + begin->len, data, len < room ? len : room);
	begin->len += len < room ? len : room;
	begin->text[begin->len] = '\0';
}

/* Says what came instead of a list, and whence. */
static int no_list(struct registry *registry, struct http_response *response,
    const struct names_list *list, struct begin *begin, struct err *err)
{
	char wrong[sizeof(err->msg)], chunk[BEGIN_SIZE];
	struct err said = ERR_INIT;
	ssize_t n = 1;

	memcpy(wrong, err->msg, sizeof(wrong));
	while (n > 0 && begin->len < BEGIN_SIZE) {
		n = http_read(response, chunk, sizeof(chunk), &said);
		if (n > 0)
			begin_add(begin, chunk, (size_t)n);
	}
	refusal_of_body(begin->text, begin->len, &said);
	err_set(err, EIO, "%s: %s: %s: %s", registry_host(registry), list->what,
	    said.msg, wrong);
	err->http = http_status(response);
	return -EIO;
}

static int read_page(struct registry *registry, struct http_response *response,
    struct names_list *list, struct err *err)
{
	struct begin begin = {0};
	char chunk[16 << 10];
	struct names_parser names;
	ssize_t n;
	int r = 0;

	names_init(&names, list->member);
	while ((n = http_read(response, chunk, sizeof(chunk), err)) > 0) {
		begin_add(&begin, chunk, (size_t)n);
		r = names_feed(&names, chunk, (size_t)n, pass_on, list, err);
		if (r == -EIO)
			return no_list(registry, response, list, &begin, err);
		if (r != 0)
			return r;
		list->bytes += (uint64_t)n;
		if (list->bytes > LIST_MAX_BYTES)
			return err_set(err, EFBIG,
			    "the list is larger than %d bytes", LIST_MAX_BYTES);
	}
	if (n < 0)
		return (int)n;
	r = names_finish(&names, err);
	return r < 0 ? no_list(registry, response, list, &begin, err) : 0;
}

/* A gateway's 404 says nothing of the registry, nor does one in the middle of a
 * list. */
static int refused(struct registry *registry, const struct call *call,
    struct http_response *response, struct names_list *list, struct err *err)
{
	struct refusal refusal;
	int r;

	refusal_read(response, &refusal);
	list->is_page =
	    refusal.form == REFUSAL_PAGE && !reply_is_registrys(response);
	r = call_refused_by(registry, call, &refusal, list->what, err);
	if (r == -ENOENT && (list->pages > 0 || !refusal_is_absence(&refusal)))
		err->code = EIO;
	return -err->code;
}

static int read_list(struct registry *registry, const struct call *call,
    struct http_response *response, struct page *page, void *arg,
    struct err *err)
{
	struct names_list *list = arg;
	int r;

	list->page = page;
	if (http_status(response) != 200)
		return refused(registry, call, response, list, err);
	r = read_page(registry, response, list, err);
	list->pages++;
	return r;
}

static int walk_catalog(struct registry *registry, struct names_list *list,
    const char *query, struct err *err)
{
	CLEANUP(call_release) struct call call;
	int r = call_init(&call, registry, "GET", NULL, "registry:catalog:*",
	    err, "_catalog%s", query);

	if (r < 0)
		return r;
	return pages_walk(registry, &call, read_list, list, err);
}

/* GET /v2/, with the credentials of _catalog: its answer, or NULL. */
static struct http_response *ask_base(struct registry *registry)
{
	struct http_response *response = NULL;
	CLEANUP(call_release) struct call call;
	int r = call_init(&call, registry, "GET", NULL, "registry:catalog:*",
	    ERR_IGNORE, "%s", "");

	if (r == 0)
		call_send(registry, &call, &response, ERR_IGNORE);
	return response;
}

static bool lets_us_in(const struct http_response *response)
{
	return response && http_status(response) == 200 &&
	       !reply_is_page(response);
}

/*
 * Whether it is the list that is not to be had, and not the registry. A page in
 * its place can be the word of a web server of static files, which is all the
 * registry that there is; of one that says that it is a registry it is not.
 */
static bool is_unlisted(struct registry *registry,
    const struct names_list *list, const struct err *err)
{
	CLEANUP(http_close_p) struct http_response *base = NULL;

	if (err->http != 400 && err->http != 401 && err->http != 403 &&
	    err->http != 404 && err->http != 405)
		return false;
	if (err->http != 401 && !list->is_page)
		return true;
	base = ask_base(registry);
	return lets_us_in(base) && !(list->is_page && reply_is_registrys(base));
}

int registry_catalog(struct registry *registry, source_name_fn *each, void *arg,
    struct err *err)
{
	struct names_list list = {"the list of repositories", "repositories",
	    is_repository, each, arg, 0, 0, NULL, false};
	struct err failure = ERR_INIT;
	char query[32];
	int r;

	snprintf(query, sizeof(query), "?n=%d", CATALOG_PAGE);
	r = walk_catalog(registry, &list, query, &failure);
	/* The page may be larger than this registry gives. */
	if (r < 0 && list.pages == 0 && failure.http == 400)
		r = walk_catalog(registry, &list, "", &failure);
	if (r >= 0)
		return r;
	*err = failure;
	if (list.pages == 0 && is_unlisted(registry, &list, err))
		err->code = EOPNOTSUPP;
	else if (list.pages == 0 && list.is_page && err->http < 500)
		err->code = EPROTONOSUPPORT;
	return -err->code;
}

int registry_tags(struct registry *registry, const char *repository,
    source_name_fn *each, void *arg, struct err *err)
{
	struct names_list list = {repository, "tags", tag_valid, each, arg, 0,
	    0, NULL, false};
	CLEANUP(call_release) struct call call;
	/* No n: GCR would cut the list there, and name no next page. */
	int r = call_init(&call, registry, "GET", repository, "pull", err,
	    "tags/list");

	return r < 0 ? r : pages_walk(registry, &call, read_list, &list, err);
}
