/* SPDX-License-Identifier: Apache-2.0 */
/* Docker Hub: a namespace at a time, by the API of hub.docker.com. */
#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/strf.h"
#include "creds/secret.h"
#include "http/grammar.h"
#include "service.h"

#define API "https://hub.docker.com/v2"
#define LOGIN_SCOPE API /* of our grants, which no registry's scope is like */

enum {
	LOGIN_MAX = 64 << 10,
	LOGIN_LIFETIME = 300, /* seconds; the token is good for 600 */
};

static bool is_hub(const struct registry *registry)
{
	return registry->address.hub;
}

static int write_login(struct buf *body, const struct credential *credential,
    struct err *err)
{
	int r = buf_addstr(body, "{\"identifier\":", err);

	if (r == 0)
		r = escape_json(body, credential->username, err);
	if (r == 0)
		r = buf_addstr(body, ",\"secret\":", err);
	if (r == 0)
		r = escape_json(body, credential->password, err);
	return r < 0 ? r : buf_addstr(body, "}", err);
}

/* *value: "Bearer …". */
static int log_in_with(const struct service *service,
    const struct credential *credential, char **value, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	AUTO_SECRET_BUF struct buf body = BUF_INIT(LOGIN_MAX);
	json_auto_t *root = NULL;
	const char *token;
	int r = write_login(&body, credential, err);

	if (r == 0)
		r = service_send(service, API "/auth/token", &body, &response,
		    err);
	if (r == 0 && http_status(response) != 200)
		r = service_refused(service, response, err);
	if (r == 0)
		r = service_read_json(service, response, &root, err);
	if (r < 0)
		return r;
	token = json_string_value(json_object_get(root, "access_token"));
	*value = token ? strf("Bearer %s", token) : NULL;
	return *value ? 0
		      : err_set(err, EIO,
			    "Docker Hub's answer to a login has no token");
}

/* *value: NULL without credentials. */
static int authorize(struct registry *registry, char **value, struct err *err)
{
	const struct service service = {registry, "the login at hub.docker.com",
	    NULL, NULL};
	CLEANUP(credential_release) struct credential credential = {0};
	uint64_t version = creds_version(registry->creds);
	int r = service_credential(registry, &credential, err);

	*value = NULL;
	if (r <= 0)
		return r;
	r = grants_begin(&registry->grants, LOGIN_SCOPE, NULL, version, value,
	    err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = log_in_with(&service, &credential, value, err);
	grants_end(&registry->grants, LOGIN_SCOPE, *value, LOGIN_LIFETIME, err);
	return r;
}

/* What is in a namespace, a hundred at a time. */
struct hub_walk {
	const char *name;
	unsigned page;
};

static char *namespace_url(const struct hub_walk *walk)
{
	AUTO_FREE char *name = http_url_escape(walk->name);

	return name ? strf(API "/namespaces/%s/repositories?page=%u"
			       "&page_size=100",
			  name, walk->page)
		    : NULL;
}

static int read_namespace(struct service_page *page, void *arg, struct err *err)
{
	struct hub_walk *walk = arg;
	const json_t *results = json_object_get(page->root, "results");
	const json_t *one;
	size_t i;

	json_array_foreach(results, i, one)
	{
		const char *type =
		    json_string_value(json_object_get(one, "repository_type"));
		int r = 0;

		if (!type || strcmp(type, "plugin") != 0)
			r = service_pass_in(page, walk->name,
			    json_string_value(json_object_get(one, "name")),
			    err);
		if (r != 0)
			return r;
	}
	if (!json_is_string(json_object_get(page->root, "next")))
		return 0;
	walk->page++;
	page->next = namespace_url(walk);
	return page->next ? 0 : err_nomem(err);
}

static int list_namespace(const struct service *service, const char *name,
    struct err *err)
{
	struct hub_walk walk = {name, 1};

	return service_walk(service, namespace_url(&walk), read_namespace,
	    &walk, err);
}

/* The namespaces of the login, and what is in them. */
static int read_namespaces(struct service_page *page, void *arg,
    struct err *err)
{
	const json_t *names = json_object_get(page->root, "namespaces");
	const json_t *name;
	size_t i;
	int r = 0;

	(void)arg;
	json_array_foreach(names, i, name)
	{
		if (r == 0 && json_is_string(name))
			r = list_namespace(page->service,
			    json_string_value(name), err);
	}
	return r;
}

static int all(struct registry *registry, const struct lister_reader *reader,
    struct err *err)
{
	AUTO_SECRET char *authorization = NULL;
	struct service service = {registry, "the list of repositories", NULL,
	    reader};
	int r = authorize(registry, &authorization, err);

	if (r < 0)
		return r;
	service.authorization = authorization;
	if (!authorization)
		return err_set(err, EOPNOTSUPP,
		    "%s lists what a login may see, and nobody is logged in: "
		    "log in, or name a namespace, as in ls library",
		    registry_host(registry));
	return service_walk(&service, strdup(API "/repositories/namespaces"),
	    read_namespaces, NULL, err);
}

static int below(struct registry *registry, const char *prefix,
    const struct lister_reader *reader, struct err *err)
{
	AUTO_SECRET char *authorization = NULL;
	struct service service = {registry, "the list of repositories", NULL,
	    reader};
	int r;

	if (strchr(prefix, '/'))
		return 0; /* nobody nests them here */
	r = authorize(registry, &authorization, err);
	if (r < 0)
		return r;
	service.authorization = authorization;
	return list_namespace(&service, prefix, err);
}

const struct lister lister_hub = {
    .name = "hub",
    .instead = true,
    .matches = is_hub,
    .all = all,
    .below = below,
};
