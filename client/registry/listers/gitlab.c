/* SPDX-License-Identifier: Apache-2.0 */
/* GitLab's registry, where it has its metadata database: what is below a group
 * or project that one may pull from. */
#include <errno.h>
#include <string.h>

#include "api/pages.h"
#include "base/strf.h"
#include "service.h"

enum { PAGE = 1000 };

static bool is_gitlab(const struct registry *registry)
{
	return strcmp(registry->challenges.token.service,
		   "container_registry") == 0 &&
	       service_realm_ends(registry, "/jwt/auth");
}

static int pass(struct page *page, const json_t *list,
    const struct lister_reader *reader, struct err *err)
{
	const json_t *one;
	size_t i;
	int r = 0;

	json_array_foreach(list, i, one)
	{
		const char *path =
		    json_string_value(json_object_get(one, "path"));

		if (r == 0 && path) {
			page_add(page, path);
			r = reader->each(reader->arg, path, err);
		}
	}
	return r;
}

static int read_page(struct registry *registry, const struct call *call,
    struct http_response *response, struct page *page, void *arg,
    struct err *err)
{
	const struct service service = {registry, call->repository, NULL, arg};
	json_auto_t *list = NULL;
	int r;

	if (http_status(response) != 200)
		return call_refused(registry, call, response, call->repository,
		    err);
	r = service_read_json(&service, response, &list, err);
	return r < 0 ? r : pass(page, list, service.reader, err);
}

/* With the registry's own token, as a pull from there. */
static int below(struct registry *registry, const char *prefix,
    const struct lister_reader *reader, struct err *err)
{
	struct lister_reader to = *reader;
	CLEANUP(call_release) struct call call = {0};
	int r =
	    call_init(&call, registry, "GET", prefix, "pull", err, "%s", "");

	if (r == 0)
		r = call_take_url(&call,
		    strf("%s/gitlab/v1/repository-paths/%s/repositories/list/"
			 "?n=%d",
			registry->origin, prefix, PAGE),
		    err);
	return r < 0 ? r : pages_walk(registry, &call, read_page, &to, err);
}

const struct lister lister_gitlab = {
    .name = "gitlab",
    .matches = is_gitlab,
    .below = below,
};
