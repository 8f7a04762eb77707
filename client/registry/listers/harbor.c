/* SPDX-License-Identifier: Apache-2.0 */
/* Harbor: its _catalog is for administrators alone. */
#include <string.h>

#include "base/strf.h"
#include "creds/secret.h"
#include "http/grammar.h"
#include "service.h"

static bool is_harbor(const struct registry *registry)
{
	return strcmp(registry->challenges.token.service, "harbor-registry") ==
	       0;
}

/* "name" is PROJECT/REPOSITORY. */
static int read_page(struct service_page *page, void *arg, struct err *err)
{
	const json_t *one;
	size_t i;

	(void)arg;
	json_array_foreach(page->root, i, one)
	{
		int r = service_pass(page,
		    json_string_value(json_object_get(one, "name")), err);

		if (r != 0)
			return r;
	}
	return service_next_link(page, err);
}

/* Of all projects that the login may see, which without one are the public
 * ones; or of one of them. */
static int list(struct registry *registry, const char *project,
    const struct lister_reader *reader, struct err *err)
{
	AUTO_SECRET char *basic = NULL;
	AUTO_FREE char *escaped = http_url_escape(project ? project : "");
	struct service service = {registry, "the list of repositories", NULL,
	    reader};
	int r = service_basic(registry, &basic, err);

	if (r < 0)
		return r;
	if (!escaped)
		return err_nomem(err);
	service.authorization = basic;
	return service_walk(&service,
	    strf("%s/api/v2.0/%s%s%srepositories?page=1&page_size=100",
		registry->origin, project ? "projects/" : "", escaped,
		project ? "/" : ""),
	    read_page, NULL, err);
}

static int all(struct registry *registry, const struct lister_reader *reader,
    struct err *err)
{
	return list(registry, NULL, reader, err);
}

static int below(struct registry *registry, const char *prefix,
    const struct lister_reader *reader, struct err *err)
{
	AUTO_FREE char *project = strndup(prefix, strcspn(prefix, "/"));

	return project ? list(registry, project, reader, err) : err_nomem(err);
}

const struct lister lister_harbor = {
    .name = "harbor",
    .complete = true,
    .matches = is_harbor,
    .all = all,
    .below = below,
};
