/* SPDX-License-Identifier: Apache-2.0 */
/* Docker Trusted Registry, and Mirantis Secure Registry to 3.x. */
#include "base/strf.h"
#include "creds/secret.h"
#include "http/grammar.h"
#include "service/service.h"

static bool is_dtr(const struct registry *registry)
{
	return service_realm_ends(registry, "/auth/token");
}

static const struct service_fact facts[] = {
    {"description", "shortDescription"},
    {"visibility", "visibility"},
    {"pulls", "pulls"},
    {NULL, NULL},
};

static char *page_url(const struct registry *registry, const char *start)
{
	AUTO_FREE char *escaped = http_url_escape(start);

	return escaped
		   ? strf("%s/api/v0/repositories?pageSize=100%s%s",
			 registry->origin, *start ? "&pageStart=" : "", escaped)
		   : NULL;
}

static int read_page(struct service_page *page, void *arg, struct err *err)
{
	const char *start = http_header(page->response, "X-Next-Page-Start");
	int r =
	    service_pass_all(page, json_object_get(page->root, "repositories"),
		"namespace", "name", err);

	if (r != 0 || !start || !*start)
		return r;
	page->next = page_url(arg, start);
	return page->next ? 0 : err_nomem(err);
}

static int all(struct registry *registry, const struct lister_reader *reader,
    struct err *err)
{
	AUTO_SECRET char *basic = NULL;
	struct service service = {registry, "the list of repositories", NULL,
	    reader, facts};
	int r = service_basic(registry, &basic, err);

	service.authorization = basic;
	return r < 0 ? r
		     : service_walk(&service, page_url(registry, ""), read_page,
			   registry, err);
}

const struct lister lister_dtr = {
    .name = "dtr",
    .complete = true,
    .matches = is_dtr,
    .all = all,
};
