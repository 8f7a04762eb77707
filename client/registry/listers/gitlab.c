/* SPDX-License-Identifier: Apache-2.0 */
/* GitLab's registry, where it has its metadata database: what is below a group
 * or project that one may pull from. */
#include <errno.h>
#include <string.h>

#include "base/strf.h"
#include "service/service.h"

enum { PAGE = 1000 };

static bool is_gitlab(const struct registry *registry)
{
	return strcmp(registry->challenges.token.service,
		   "container_registry") == 0 &&
	       service_realm_ends(registry, "/jwt/auth");
}

static int read_page(struct service_page *page, void *arg, struct err *err)
{
	(void)arg;
	return service_pass_all(page, page->root, NULL, "path", err);
}

/* With the registry's own token, as a pull from there. */
static int below(struct registry *registry, const char *prefix,
    const struct lister_reader *reader, struct err *err)
{
	const struct service service = {registry, prefix, NULL, reader, NULL};
	CLEANUP(call_release) struct call call = {0};
	int r =
	    call_init(&call, registry, "GET", prefix, "pull", err, "%s", "");

	if (r == 0)
		r = call_take_url(&call,
		    strf("%s/gitlab/v1/repository-paths/%s/repositories/list/"
			 "?n=%d",
			registry->origin, prefix, PAGE),
		    err);
	return r < 0 ? r
		     : service_walk_call(&service, &call, read_page, NULL, err);
}

static const struct service_fact tag_facts[] = {
    {"pushed", "published_at"},
    {"size", "size_bytes"},
    {NULL, NULL},
};

/* arg: the repository. */
static int read_tags(struct service_page *page, void *arg, struct err *err)
{
	return service_keep_tags(page, page->root, arg, "name", tag_facts, err);
}

static int tags(struct registry *registry, char *repository, struct err *err)
{
	const struct service service = {registry, repository, NULL, NULL, NULL};
	CLEANUP(call_release) struct call call = {0};
	int r = call_init(&call, registry, "GET", repository, "pull", err, "%s",
	    "");

	if (r == 0)
		r = call_take_url(&call,
		    strf("%s/gitlab/v1/repositories/%s/tags/list/?n=%d",
			registry->origin, repository, PAGE),
		    err);
	return r < 0 ? r
		     : service_walk_call(&service, &call, read_tags, repository,
			   err);
}

const struct lister lister_gitlab = {
    .name = "gitlab",
    .matches = is_gitlab,
    .below = below,
    .tags = tags,
};
