/* SPDX-License-Identifier: Apache-2.0 */
/* Artifactory where all its repositories of images share a host: each of them,
 * by its key, is a namespace with a catalog of its own. */
#include <string.h>

#include "base/strf.h"
#include "creds/secret.h"
#include "http/grammar.h"
#include "service/service.h"

enum { PAGE = 1000 };

static bool is_artifactory(const struct registry *registry)
{
	return service_at(registry, ".jfrog.io") ||
	       strstr(registry->challenges.token.realm,
		   "/artifactory/api/docker/");
}

/* arg: the key. */
static int read_catalog(struct service_page *page, void *arg, struct err *err)
{
	const json_t *names = json_object_get(page->root, "repositories");
	const json_t *name;
	size_t i;
	int r = 0;

	json_array_foreach(names, i, name)
	{
		if (r == 0)
			r = service_pass_in(page, NULL, arg,
			    json_string_value(name), err);
	}
	return r != 0 ? r : service_next_link(page, err);
}

static int list_key(const struct service *service, char *key, struct err *err)
{
	AUTO_FREE char *escaped = http_url_escape(key);

	if (!escaped)
		return err_nomem(err);
	return service_walk(service,
	    strf("%s/artifactory/api/docker/%s/v2/_catalog?n=%d",
		service->registry->origin, escaped, PAGE),
	    read_catalog, key, err);
}

/* One that is refused, of which a login may know, hides no other. */
static int read_keys(struct service_page *page, void *arg, struct err *err)
{
	const json_t *one;
	size_t i;
	int r = 0;

	(void)arg;
	json_array_foreach(page->root, i, one)
	{
		const char *name =
		    json_string_value(json_object_get(one, "key"));
		AUTO_FREE char *key = name ? strdup(name) : NULL;
		struct err refusal = ERR_INIT;

		if (r == 0 && key)
			r = list_key(page->service, key, &refusal);
		if (r < 0 && (refusal.http == 403 || refusal.http == 404))
			r = 0;
		if (r < 0)
			*err = refusal;
	}
	return r;
}

/* key: NULL for all. */
static int list(struct registry *registry, char *key,
    const struct lister_reader *reader, struct err *err)
{
	AUTO_SECRET char *basic = NULL;
	struct service service = {registry, "the list of repositories", NULL,
	    reader, NULL};
	int r = service_basic(registry, &basic, err);

	service.authorization = basic;
	if (r < 0)
		return r;
	return key ? list_key(&service, key, err)
		   : service_walk(&service,
			 strf("%s/artifactory/api/repositories"
			      "?packageType=docker",
			     registry->origin),
			 read_keys, NULL, err);
}

static int all(struct registry *registry, const struct lister_reader *reader,
    struct err *err)
{
	return list(registry, NULL, reader, err);
}

static int below(struct registry *registry, const char *prefix,
    const struct lister_reader *reader, struct err *err)
{
	AUTO_FREE char *key = strndup(prefix, strcspn(prefix, "/"));

	return key ? list(registry, key, reader, err) : err_nomem(err);
}

const struct lister lister_artifactory = {
    .name = "artifactory",
    .matches = is_artifactory,
    .all = all,
    .below = below,
};
