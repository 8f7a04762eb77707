/* SPDX-License-Identifier: Apache-2.0 */
/* Quay: a namespace at a time. Its API takes OAuth tokens alone, which docker
 * login stores with the user $oauthtoken; without one it lists what is
 * public. */
#include <errno.h>
#include <string.h>

#include "base/strf.h"
#include "creds/secret.h"
#include "http/grammar.h"
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

static int below(struct registry *registry, const char *prefix,
    const struct lister_reader *reader, struct err *err)
{
	CLEANUP(credential_release) struct credential credential = {0};
	AUTO_FREE char *name = strndup(prefix, strcspn(prefix, "/"));
	AUTO_SECRET char *bearer = NULL;
	struct service service = {registry, "the list of repositories", NULL,
	    reader, facts};
	struct quay_walk walk = {registry, name};
	int r = service_credential(registry, &credential, err);

	if (r < 0)
		return r;
	if (r == 1 && strcmp(credential.username, OAUTH_USER) == 0) {
		bearer = strf("Bearer %s", credential.password);
		if (!bearer)
			return err_nomem(err);
	}
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

const struct lister lister_quay = {
    .name = "quay",
    .matches = is_quay,
    .all = all,
    .below = below,
};
