/* SPDX-License-Identifier: Apache-2.0 */
/* Red Hat's registries: a namespace at a time, by the API of the container
 * catalog, which asks for no login. */
#include <errno.h>
#include <string.h>

#include "base/strf.h"
#include "http/grammar.h"
#include "service/service.h"

#define API "https://catalog.redhat.com/api/containers/v1"

static bool is_redhat(const struct registry *registry)
{
	return service_at(registry, "registry.access.redhat.com") ||
	       service_at(registry, "registry.redhat.io") ||
	       service_at(registry, "registry.connect.redhat.com");
}

static const struct service_fact facts[] = {
    {"description", "display_data.short_description"},
    {"pushed", "last_update_date"},
    {NULL, NULL},
};

struct redhat_walk {
	const char *name;
	unsigned page; /* from 0 */
};

static char *namespace_url(const struct redhat_walk *walk)
{
	AUTO_FREE char *name = http_url_escape(walk->name);

	return name ? strf(API "/repositories?page_size=200&page=%u"
			       "&sort_by=repository"
			       "&filter=namespace%%3D%%3D%s",
			  walk->page, name)
		    : NULL;
}

/* The catalog has several registries; a page that is not full is the last. */
static int read_page(struct service_page *page, void *arg, struct err *err)
{
	struct redhat_walk *walk = arg;
	const char *host = registry_host(page->service->registry);
	const json_t *data = json_object_get(page->root, "data"), *one;
	json_int_t total =
	    json_integer_value(json_object_get(page->root, "total"));
	json_int_t size =
	    json_integer_value(json_object_get(page->root, "page_size"));
	size_t i;

	json_array_foreach(data, i, one)
	{
		const char *registry =
		    json_string_value(json_object_get(one, "registry"));
		const json_t *name = json_object_get(one, "repository");
		int r = 0;

		if (registry && strcmp(registry, host) == 0)
			r = service_pass(page, one, json_string_value(name),
			    err);
		if (r != 0)
			return r;
	}
	walk->page++;
	if (size > 0 && walk->page * size < total)
		page->next = namespace_url(walk);
	return 0;
}

static int below(struct registry *registry, const char *prefix,
    const struct lister_reader *reader, struct err *err)
{
	const struct service service = {registry, "the list of repositories",
	    NULL, reader, facts};
	AUTO_FREE char *name = strndup(prefix, strcspn(prefix, "/"));
	struct redhat_walk walk = {name, 0};

	if (!name)
		return err_nomem(err);
	return service_walk(&service, namespace_url(&walk), read_page, &walk,
	    err);
}

const struct lister lister_redhat = {
    .name = "redhat",
    .matches = is_redhat,
    .below = below,
};
