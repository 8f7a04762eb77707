/* SPDX-License-Identifier: Apache-2.0 */
/* Quay: a namespace at a time. Its API takes OAuth tokens alone, which docker
 * login stores with the user $oauthtoken; without one it lists what is
 * public. */
#include <errno.h>
#include <string.h>

#include "base/strf.h"
#include "creds/secret.h"
#include "http/grammar.h"
#include "oci/config.h"
#include "service/service.h"

#define OAUTH_USER "$oauthtoken"

static bool is_quay(const struct registry *registry)
{
	return service_at(registry, "quay.io") ||
	       service_realm_ends(registry, "/v2/auth");
}

static const struct service_fact facts[] = {
    {"description", "description"},
    {NULL, NULL},
};

struct quay_walk {
	const struct registry *registry;
	const char *name;
};

static char *namespace_url(const struct quay_walk *walk, const char *token)
{
	AUTO_FREE char *name = http_url_escape(walk->name);
	AUTO_FREE char *escaped = http_url_escape(token);

	return name && escaped ? strf("%s/api/v1/repository?namespace=%s%s%s",
				     walk->registry->origin, name,
				     *token ? "&next_page=" : "", escaped)
			       : NULL;
}

static int read_page(struct service_page *page, void *arg, struct err *err)
{
	const struct quay_walk *walk = arg;
	const char *token =
	    json_string_value(json_object_get(page->root, "next_page"));
	int r =
	    service_pass_all(page, json_object_get(page->root, "repositories"),
		"namespace", "name", err);

	if (r != 0 || !token || !*token)
		return r;
	page->next = namespace_url(walk, token);
	return page->next ? 0 : err_nomem(err);
}

/* "Bearer …" in *value, or NULL without a token of OAuth. */
static int authorize(struct registry *registry, char **value, struct err *err)
{
	CLEANUP(credential_release) struct credential credential = {0};
	int r = service_credential(registry, &credential, err);

	*value = NULL;
	if (r <= 0 || strcmp(credential.username, OAUTH_USER) != 0)
		return r < 0 ? r : 0;
	*value = strf("Bearer %s", credential.password);
	return *value ? 0 : err_nomem(err);
}

static int below(struct registry *registry, const char *prefix,
    const struct lister_reader *reader, struct err *err)
{
	AUTO_FREE char *name = strndup(prefix, strcspn(prefix, "/"));
	AUTO_SECRET char *bearer = NULL;
	struct service service = {registry, "the list of repositories", NULL,
	    reader, facts};
	struct quay_walk walk = {registry, name};
	int r = authorize(registry, &bearer, err);

	if (r < 0)
		return r;
	service.authorization = bearer;
	if (!name)
		return err_nomem(err);
	return service_walk(&service, namespace_url(&walk, ""), read_page,
	    &walk, err);
}

/* What the login is named after: "org+robot", or a user. */
static int all(struct registry *registry, const struct lister_reader *reader,
    struct err *err)
{
	CLEANUP(credential_release) struct credential credential = {0};
	int r = service_credential(registry, &credential, err);

	if (r < 0)
		return r;
	if (r == 0 || *credential.username == '$')
		return err_set(err, EOPNOTSUPP,
		    "%s lists a namespace at a time: name one, as in ls "
		    "NAMESPACE",
		    registry_host(registry));
	credential.username[strcspn(credential.username, "+")] = '\0';
	return below(registry, credential.username, reader, err);
}

static const struct service_fact tag_facts[] = {
    {"pushed", "pushed"},
    {"size", "size"},
    {NULL, NULL},
};

/* As the others say it: a member "pushed" of what has start_ts. */
static void add_times(json_t *tags)
{
	char text[TIME_TEXT_SIZE];
	json_t *row;
	size_t i;

	json_array_foreach(tags, i, row)
	{
		json_int_t start =
		    json_integer_value(json_object_get(row, "start_ts"));

		if (start > 0 && time_format(start, text, ERR_IGNORE) == 0)
			json_object_set_new(row, "pushed", json_string(text));
	}
}

struct quay_tags {
	const struct registry *registry;
	const char *repository;
	unsigned page;
};

static char *tags_url(const struct quay_tags *walk)
{
	return strf("%s/api/v1/repository/%s/tag/?limit=100&page=%u"
		    "&onlyActiveTags=true",
	    walk->registry->origin, walk->repository, walk->page);
}

static int read_tags(struct service_page *page, void *arg, struct err *err)
{
	struct quay_tags *walk = arg;
	json_t *list = json_object_get(page->root, "tags");
	int r;

	add_times(list);
	r = service_keep_tags(page, list, walk->repository, "name", tag_facts,
	    err);
	if (r != 0 ||
	    !json_is_true(json_object_get(page->root, "has_additional")))
		return r;
	walk->page++;
	page->next = tags_url(walk);
	return page->next ? 0 : err_nomem(err);
}

static int tags(struct registry *registry, char *repository, struct err *err)
{
	AUTO_SECRET char *bearer = NULL;
	struct service service = {registry, repository, NULL, NULL, NULL};
	struct quay_tags walk = {registry, repository, 1};
	int r = authorize(registry, &bearer, err);

	service.authorization = bearer;
	return r < 0 ? r
		     : service_walk(&service, tags_url(&walk), read_tags, &walk,
			   err);
}

const struct lister lister_quay = {
    .name = "quay",
    .matches = is_quay,
    .all = all,
    .below = below,
    .tags = tags,
};
