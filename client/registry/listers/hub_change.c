/* SPDX-License-Identifier: Apache-2.0 */
/* Docker Hub: what its registry does not do, and its API does: repositories
 * made before anything is in them, and removed, and tags removed one by one. */
#include <errno.h>
#include <string.h>

#include "base/strf.h"
#include "creds/secret.h"
#include "hub.h"

enum { BODY_MAX = 4096 };

/* A change, and what it is about. */
struct change {
	const char *method;
	char *url; /* NULL is "out of memory" */
	struct buf body;
	const char *what;
};

static void change_release(struct change *change)
{
	free(change->url);
	buf_release(&change->body);
}

/* -EOPNOTSUPP without a login. */
static int send(struct registry *registry, const struct change *change,
    struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	AUTO_SECRET char *authorization = NULL;
	struct service service = {registry, change->what, NULL, NULL, NULL};
	int r = hub_authorize(registry, &authorization, err);

	if (r == 0 && !authorization)
		r = err_set(err, EOPNOTSUPP,
		    "%s: %s: nobody is logged in at Docker Hub",
		    registry_host(registry), change->what);
	if (r == 0 && !change->url)
		r = err_nomem(err);
	if (r < 0)
		return r;
	service.authorization = authorization;
	r = service_send(&service, change->method, change->url,
	    change->body.len ? &change->body : NULL, &response, err);
	if (r < 0)
		return r;
	return http_status(response) / 100 == 2
		   ? 0
		   : service_refused(&service, response, err);
}

/* Of the length that the namespace has; NULL where it has none, or more. */
static const char *slash_of(const char *repository)
{
	const char *slash = strchr(repository, '/');

	return slash && !strchr(slash + 1, '/') ? slash : NULL;
}

static int no_repository(struct err *err)
{
	err->code = EOPNOTSUPP;
	return -EOPNOTSUPP;
}

/* A name needs no escape. It is made private, so that what is pushed into it is
 * not seen before its owner wants that. */
int hub_make(struct registry *registry, const char *repository, struct err *err)
{
	CLEANUP(change_release)
	struct change change = {.method = "POST",
	    .body = BUF_INIT(BODY_MAX),
	    .what = repository};
	const char *slash = slash_of(repository);
	int len, r;

	if (!slash)
		return no_repository(err);
	len = (int)(slash - repository);
	change.url =
	    strf(HUB_API "/namespaces/%.*s/repositories", len, repository);
	r = buf_addf(&change.body, err,
	    "{\"namespace\":\"%.*s\",\"name\":\"%s\","
	    "\"registry\":\"docker\",\"is_private\":true}",
	    len, repository, slash + 1);
	return r < 0 ? r : send(registry, &change, err);
}

int hub_drop(struct registry *registry, const char *repository, struct err *err)
{
	CLEANUP(change_release)
	struct change change = {.method = "DELETE", .what = repository};

	if (!slash_of(repository))
		return no_repository(err);
	change.url = strf(HUB_API "/repositories/%s/", repository);
	return send(registry, &change, err);
}

int hub_untag(struct registry *registry, const char *repository,
    const char *tag, struct err *err)
{
	CLEANUP(change_release)
	struct change change = {.method = "DELETE", .what = repository};

	if (!slash_of(repository))
		return no_repository(err);
	change.url = strf(HUB_API "/repositories/%s/tags/%s/", repository, tag);
	return send(registry, &change, err);
}
