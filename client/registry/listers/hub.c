/* SPDX-License-Identifier: Apache-2.0 */
/* Docker Hub: a namespace at a time, by the API of hub.docker.com. */
#include <errno.h>
#include <string.h>

#include "base/strf.h"
#include "creds/secret.h"
#include "http/grammar.h"
#include "hub.h"

/* Of the tags of a repository the thousand that were pushed last: some have ten
 * times as many, and one of them is asked about. */
enum { TAG_PAGES = 10 };

static bool is_hub(const struct registry *registry)
{
	return registry->address.hub;
}

static const struct service_fact facts[] = {
    {"description", "description"},
    {"stars", "star_count"},
    {"pulls", "pull_count"},
    {"private", "is_private"},
    {"pushed", "last_updated"},
    {NULL, NULL},
};

/* What is in a namespace, a hundred at a time. */
struct hub_walk {
	const char *name;
	unsigned page;
};

static char *namespace_url(const struct hub_walk *walk)
{
	AUTO_FREE char *name = http_url_escape(walk->name);

	return name ? strf(HUB_API "/namespaces/%s/repositories?page=%u"
				   "&page_size=100",
			  name, walk->page)
		    : NULL;
}

static int read_namespace(struct service_page *page, void *arg, struct err *err)
{
	struct hub_walk *walk = arg;
	const json_t *results = json_object_get(page->root, "results");
	const json_t *one;
	size_t i;

	json_array_foreach(results, i, one)
	{
		const char *type =
		    json_string_value(json_object_get(one, "repository_type"));
		int r = 0;

		if (!type || strcmp(type, "plugin") != 0)
			r = service_pass_in(page, one, walk->name,
			    json_string_value(json_object_get(one, "name")),
			    err);
		if (r != 0)
			return r;
	}
	if (!json_is_string(json_object_get(page->root, "next")))
		return 0;
	walk->page++;
	page->next = namespace_url(walk);
	return page->next ? 0 : err_nomem(err);
}

static int list_namespace(const struct service *service, const char *name,
    struct err *err)
{
	struct hub_walk walk = {name, 1};

	return service_walk(service, namespace_url(&walk), read_namespace,
	    &walk, err);
}

/* The namespaces of the login, and what is in them. */
static int read_namespaces(struct service_page *page, void *arg,
    struct err *err)
{
	const json_t *names = json_object_get(page->root, "namespaces");
	const json_t *name;
	size_t i;
	int r = 0;

	(void)arg;
	json_array_foreach(names, i, name)
	{
		if (r == 0 && json_is_string(name))
			r = list_namespace(page->service,
			    json_string_value(name), err);
	}
	return r;
}

/* What the login may see, and what everybody may. */
static int all(struct registry *registry, const struct lister_reader *reader,
    struct err *err)
{
	AUTO_SECRET char *authorization = NULL;
	struct service service = {registry, "the list of repositories", NULL,
	    reader, facts};
	int r = hub_authorize(registry, &authorization, err);

	if (r < 0)
		return r;
	service.authorization = authorization;
	if (authorization)
		r = service_walk(&service,
		    strdup(HUB_API "/repositories/namespaces"), read_namespaces,
		    NULL, err);
	return r != 0 ? r : list_namespace(&service, "library", err);
}

static int below(struct registry *registry, const char *prefix,
    const struct lister_reader *reader, struct err *err)
{
	AUTO_SECRET char *authorization = NULL;
	struct service service = {registry, "the list of repositories", NULL,
	    reader, facts};
	int r;

	if (strchr(prefix, '/')) {
		err->code = EOPNOTSUPP; /* a repository, in which none is */
		return -EOPNOTSUPP;
	}
	r = hub_authorize(registry, &authorization, err);
	if (r < 0)
		return r;
	service.authorization = authorization;
	return list_namespace(&service, prefix, err);
}

static const struct service_fact tag_facts[] = {
    {"pushed", "tag_last_pushed"},
    {"size", "full_size"},
    {NULL, NULL},
};

static char *tags_url(const char *repository, unsigned page)
{
	const char *slash = strchr(repository, '/');

	return strf(HUB_API "/namespaces/%.*s/repositories/%s/tags?page=%u"
			    "&page_size=100",
	    (int)(slash - repository), repository, slash + 1, page);
}

struct hub_tags {
	const char *repository;
	unsigned page;
};

static int read_tags(struct service_page *page, void *arg, struct err *err)
{
	struct hub_tags *walk = arg;
	int r = service_keep_tags(page, json_object_get(page->root, "results"),
	    walk->repository, "name", tag_facts, err);

	if (r != 0 || !json_is_string(json_object_get(page->root, "next")) ||
	    walk->page++ >= TAG_PAGES)
		return r;
	page->next = tags_url(walk->repository, walk->page);
	return page->next ? 0 : err_nomem(err);
}

static int tags(struct registry *registry, char *repository, struct err *err)
{
	AUTO_SECRET char *authorization = NULL;
	struct service service = {registry, repository, NULL, NULL, NULL};
	struct hub_tags walk = {repository, 1};
	int r = hub_authorize(registry, &authorization, err);

	service.authorization = authorization;
	if (r < 0 || !strchr(repository, '/'))
		return r;
	return service_walk(&service, tags_url(repository, 1), read_tags, &walk,
	    err);
}

const struct lister lister_hub = {
    .name = "hub",
    .instead = true,
    .matches = is_hub,
    .all = all,
    .below = below,
    .tags = tags,
    .make = hub_make,
    .drop = hub_drop,
    .untag = hub_untag,
    .search = hub_search,
};
