/* SPDX-License-Identifier: Apache-2.0 */
/* Google's Artifact Registry and Container Registry: a list of tags names what
 * is below the repository, too. */
#include <string.h>

#include "api/pages.h"
#include "base/strf.h"
#include "service.h"

static bool is_google(const struct registry *registry)
{
	return service_at(registry, "gcr.io") ||
	       service_at(registry, ".gcr.io") ||
	       service_at(registry, ".pkg.dev");
}

static int pass(struct page *page, const struct call *call,
    const json_t *children, const struct lister_reader *reader, struct err *err)
{
	const json_t *child;
	size_t i;

	json_array_foreach(children, i, child)
	{
		const char *name = json_string_value(child);
		AUTO_FREE char *path = NULL;
		int r;

		if (!name)
			continue;
		path = strf("%s/%s", call->repository, name);
		if (!path)
			return err_nomem(err);
		page_add(page, path);
		r = reader->each(reader->arg, path, err);
		if (r != 0)
			return r;
	}
	return 0;
}

static int read_page(struct registry *registry, const struct call *call,
    struct http_response *response, struct page *page, void *arg,
    struct err *err)
{
	const struct service service = {registry, call->repository, NULL, arg};
	json_auto_t *root = NULL;
	int r;

	if (http_status(response) != 200)
		return call_refused(registry, call, response, call->repository,
		    err);
	r = service_read_json(&service, response, &root, err);
	return r < 0 ? r
		     : pass(page, call, json_object_get(root, "child"),
			   service.reader, err);
}

/* Of a child it is not said whether it is a repository, or what has some: those
 * that are entered are asked. */
static int below(struct registry *registry, const char *prefix,
    const struct lister_reader *reader, struct err *err)
{
	struct lister_reader to = *reader;
	CLEANUP(call_release) struct call call = {0};
	int r =
	    call_init(&call, registry, "GET", prefix, "pull", err, "tags/list");

	return r < 0 ? r : pages_walk(registry, &call, read_page, &to, err);
}

const struct lister lister_gcr = {
    .name = "gcr",
    .matches = is_google,
    .below = below,
};
