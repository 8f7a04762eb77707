/* SPDX-License-Identifier: Apache-2.0 */
/* GitHub's registry: packages, by GitHub's REST API, for a token with
 * read:packages. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/strf.h"
#include "creds/secret.h"
#include "http/grammar.h"
#include "service/service.h"

#define API "https://api.github.com"
#define QUERY "packages?package_type=container&per_page=100"

static bool is_ghcr(const struct registry *registry)
{
	return service_at(registry, "ghcr.io");
}

static const struct service_fact facts[] = {
    {"visibility", "visibility"},
    {"pushed", "updated_at"},
    {NULL, NULL},
};

/* Owners have capitals, and repositories have none. */
static int pass(struct service_page *page, const json_t *package,
    struct err *err)
{
	const json_t *owner = json_object_get(package, "owner");
	const char *login = json_string_value(json_object_get(owner, "login"));
	AUTO_FREE char *namespace = login ? strdup(login) : NULL;

	if (!login)
		return 0;
	if (!namespace)
		return err_nomem(err);
	for (char *c = namespace; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return service_pass_in(page, package, namespace,
	    json_string_value(json_object_get(package, "name")), err);
}

static int read_page(struct service_page *page, void *arg, struct err *err)
{
	const json_t *one;
	size_t i;

	(void)arg;
	json_array_foreach(page->root, i, one)
	{
		int r = pass(page, one, err);

		if (r != 0)
			return r;
	}
	return service_next_link(page, err);
}

/* owner: "user", "orgs/NAME", "users/NAME". */
static int list(struct registry *registry, const char *owner,
    const struct lister_reader *reader, struct err *err)
{
	CLEANUP(credential_release) struct credential credential = {0};
	AUTO_SECRET char *bearer = NULL;
	struct service service = {registry, "the list of packages", NULL,
	    reader, facts};
	int r = service_credential(registry, &credential, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, EOPNOTSUPP,
		    "%s lists packages for a token with read:packages, and "
		    "there is no login",
		    registry_host(registry));
	bearer = strf("Bearer %s", credential.password);
	if (!bearer)
		return err_nomem(err);
	service.authorization = bearer;
	return service_walk(&service, strf(API "/%s/" QUERY, owner), read_page,
	    NULL, err);
}

static int all(struct registry *registry, const struct lister_reader *reader,
    struct err *err)
{
	return list(registry, "user", reader, err);
}

/* An organisation is asked for as such; any other name gives 404. */
static int below(struct registry *registry, const char *prefix,
    const struct lister_reader *reader, struct err *err)
{
	AUTO_FREE char *name = strndup(prefix, strcspn(prefix, "/"));
	AUTO_FREE char *org = name ? strf("orgs/%s", name) : NULL;
	AUTO_FREE char *user = name ? strf("users/%s", name) : NULL;
	struct err refusal = ERR_INIT;
	int r;

	if (!org || !user)
		return err_nomem(err);
	r = list(registry, org, reader, &refusal);
	if (r < 0 && refusal.http == 404)
		return list(registry, user, reader, err);
	if (r < 0)
		*err = refusal;
	return r;
}

const struct lister lister_ghcr = {
    .name = "ghcr",
    .instead = true,
    .matches = is_ghcr,
    .all = all,
    .below = below,
};
