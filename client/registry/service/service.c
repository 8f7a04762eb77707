/* SPDX-License-Identifier: Apache-2.0 */
/* APIs of services. */
#include "service.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "answer/refusal.h"
#include "api/pages.h"
#include "base/strf.h"
#include "creds/secret.h"
#include "http/grammar.h"

enum {
	/* A page of a hundred repositories with all that is said of them. */
	PAGE_MAX = 8 << 20,
	LINK_SIZE = 4096,
	REDIRECTS = 5,
};

int service_send(const struct service *service, const char *method,
    const char *url, const struct buf *body, struct http_response **out,
    struct err *err)
{
	struct registry *registry = service->registry;
	AUTO_SECRET char *line = NULL;
	const char *headers[4] = {"Accept: application/json"};
	bool reads = strcmp(method, "GET") == 0;
	struct http_request request = {.method = method,
	    .url = url,
	    .headers = headers,
	    .tls = session_trust(registry, url),
	    /* Credentials go to the url's own origin only. */
	    .max_redirects = reads ? REDIRECTS : 0,
	    .retry = reads};
	size_t n = 1;

	if (service->authorization) {
		line = strf("Authorization: %s", service->authorization);
		if (!line)
			return err_nomem(err);
		headers[n++] = line;
	}
	if (body) {
		headers[n] = "Content-Type: application/json";
		request.body.data = buf_str(body);
		request.body.size = body->len;
	}
	return http_open(registry->http, &request, out, err);
}

int service_refused(const struct service *service,
    struct http_response *response, struct err *err)
{
	struct refusal refusal;

	refusal_read(response, &refusal);
	return refusal_err(&refusal, registry_host(service->registry),
	    service->what, NULL, err);
}

int service_read_json(const struct service *service,
    struct http_response *response, json_t **out, struct err *err)
{
	AUTO_SECRET_BUF struct buf body = BUF_INIT(PAGE_MAX);
	int r = http_read_all(response, &body, err);

	if (r < 0)
		return r;
	*out = json_loadb(buf_str(&body), body.len, 0, NULL);
	if (*out)
		return 0;
	return err_set(err, EIO, "%s: %s: %.200s gives no JSON document",
	    registry_host(service->registry), service->what,
	    http_url(response));
}

static int ask(const struct service *service, struct service_page *page,
    struct err *err)
{
	int r =
	    service_send(service, "GET", page->url, NULL, &page->response, err);

	if (r == 0 && http_status(page->response) != 200)
		r = service_refused(service, page->response, err);
	return r < 0 ? r
		     : service_read_json(service, page->response, &page->root,
			   err);
}

static void page_release(struct service_page *page)
{
	http_close(page->response);
	json_decref(page->root);
	free(page->next);
}

/* One page. The next one's url in *next, NULL at the end. */
static int read_one(const struct service *service, const char *url,
    service_page_fn *read, void *arg, struct pages_walk *walk, char **next,
    struct err *err)
{
	CLEANUP(page_release)
	struct service_page page = {.service = service, .url = url};
	int r = walk_url(walk, url, err);

	if (r == 0)
		r = ask(service, &page, err);
	if (r == 0)
		r = read(&page, arg, err);
	if (r == 0 && page.next)
		r = walk_page(walk, &page.content, err);
	*next = r == 0 ? steal(&page.next) : NULL;
	return r;
}

int service_walk(const struct service *service, char *url,
    service_page_fn *read, void *arg, struct err *err)
{
	CLEANUP(walk_release) struct pages_walk walk = {0};
	int r = url ? 0 : err_nomem(err);

	while (r == 0 && url) {
		char *next = NULL;

		r = read_one(service, url, read, arg, &walk, &next, err);
		free(url);
		url = next;
	}
	free(url);
	return r;
}

struct call_walk {
	const struct service *service;
	service_page_fn *read;
	void *arg;
};

static int read_of_call(struct registry *registry, const struct call *call,
    struct http_response *response, struct page *content, void *arg,
    struct err *err)
{
	const struct call_walk *walk = arg;
	struct service_page page = {.service = walk->service,
	    .url = call->url,
	    .response = response};
	json_auto_t *root = NULL;
	int r;

	if (http_status(response) != 200)
		return call_refused(registry, call, response,
		    walk->service->what, err);
	r = service_read_json(walk->service, response, &root, err);
	page.root = root;
	if (r == 0)
		r = walk->read(&page, walk->arg, err);
	*content = page.content;
	return r;
}

int service_walk_call(const struct service *service, struct call *call,
    service_page_fn *read, void *arg, struct err *err)
{
	struct call_walk walk = {service, read, arg};

	return pages_walk(service->registry, call, read_of_call, &walk, err);
}

/* A proxy in front of it did not tell its name: the path counts. */
static char *on_server_of(const char *base, const char *url)
{
	const char *host = strstr(base, "://") + 3, *path = strstr(url, "://");

	path += 3 + strcspn(path + 3, "/?#");
	return strf("%.*s%s", (int)(host + strcspn(host, "/?#") - base), base,
	    path);
}

int service_next_link(struct service_page *page, struct err *err)
{
	AUTO_FREE char *url = NULL;
	char target[LINK_SIZE];
	const char *field;
	int r = 0;

	for (size_t i = 0;
	     r == 0 && (field = http_header_nth(page->response, "Link", i));
	     i++)
		r = http_link_next(field, target, sizeof(target), err);
	if (r <= 0)
		return r;
	url = http_url_resolve(page->url, target, err);
	if (!url)
		return -err->code;
	page->next = on_server_of(page->url, url);
	return page->next ? 0 : err_nomem(err);
}

int service_credential(struct registry *registry, struct credential *out,
    struct err *err)
{
	int r = creds_lookup(registry->creds, registry->address.host, NULL, out,
	    err);

	return r < 0 ? r : out->username && out->password;
}

int service_basic(struct registry *registry, char **value, struct err *err)
{
	CLEANUP(credential_release) struct credential credential = {0};
	int r = service_credential(registry, &credential, err);

	*value = NULL;
	if (r <= 0)
		return r;
	*value = credential_basic(&credential);
	return *value ? 0 : err_nomem(err);
}

bool service_at(const struct registry *registry, const char *host)
{
	const char *own = registry->address.host;
	size_t len = strlen(own), host_len = strlen(host);

	if (*host != '.')
		return strcasecmp(own, host) == 0;
	return len > host_len && strcasecmp(own + len - host_len, host) == 0;
}

bool service_realm_ends(const struct registry *registry, const char *path)
{
	const struct challenges *challenges = &registry->challenges;
	const char *realm = challenges->token.realm;
	size_t len = strcspn(realm, "?"), path_len = strlen(path);

	return challenges->bearer && len >= path_len &&
	       strncmp(realm + len - path_len, path, path_len) == 0;
}
