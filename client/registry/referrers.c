/* SPDX-License-Identifier: Apache-2.0 */
/* What refers to a manifest: distribution-spec "Listing Referrers". */
#include <errno.h>
#include <string.h>

#include "oci/manifest.h"
#include "pages.h"
#include "refusal.h"
#include "reply.h"

struct referrers {
	registry_referrer_fn *each;
	void *arg;
	const char *what;    /* they refer to, for messages */
	unsigned long pages; /* read so far */
};

/*
 * Whether the answer is that of a registry without the API: the specification's
 * 404, what servers say to a path that they do not know, or a page to log in.
 */
static bool is_absent(const struct http_response *response)
{
	const char *type = http_header(response, "Content-Type");
	size_t len = type ? strcspn(type, "; \t") : 0;

	switch (http_status(response)) {
	case 200:
		return len != strlen(MEDIA_OCI_INDEX) ||
		       strncmp(type, MEDIA_OCI_INDEX, len) != 0;
	case 400:
	case 404:
	case 405:
	case 406:
		return true;
	default:
		return false;
	}
}

/* What has no name is another thing than what has no list. */
static int absent(struct registry *registry, const struct call *call,
    struct http_response *response, const char *what, struct err *err)
{
	struct refusal refusal;

	refusal_read(response, &refusal);
	if (strcmp(refusal.code, "NAME_UNKNOWN") == 0)
		return refusal_err(&refusal, registry->address.host, what,
		    call->scope, err);
	return err_set(err, EOPNOTSUPP,
	    "%s: the registry does not list what refers to %s",
	    registry->address.host, what);
}

static int read_index(struct http_response *response, struct referrers *list,
    struct err *err)
{
	AUTO_BUF struct buf body = BUF_INIT(MANIFEST_MAX_BYTES);
	CLEANUP(manifest_free_p) struct manifest *index = NULL;
	int r = http_read_all(response, &body, err);

	if (r == 0)
		r = manifest_parse(buf_str(&body), body.len, MEDIA_OCI_INDEX,
		    &index, err);
	for (size_t i = 0; r == 0 && i < index->entry_count; i++)
		r = list->each(list->arg, &index->entries[i], err);
	return r;
}

static int read_page(struct registry *registry, const struct call *call,
    struct http_response *response, void *arg, struct err *err)
{
	struct referrers *list = arg;
	int r;

	if (list->pages == 0 && is_absent(response))
		return absent(registry, call, response, list->what, err);
	if (http_status(response) != 200)
		return call_refused(registry, call, response, list->what, err);
	r = read_index(response, list, err);
	list->pages++;
	return r < 0 ? err_wrap(err, "%s: what refers to %s",
			   registry->address.host, list->what)
		     : r;
}

int registry_referrers(struct registry *registry, const char *repository,
    const struct digest *digest, registry_referrer_fn *each, void *arg,
    struct err *err)
{
	CLEANUP(call_release) struct call call;
	char text[DIGEST_TEXT_SIZE];
	struct call_what it =
	    call_what(repository, digest_format(digest, text));
	struct referrers list = {each, arg, it.text, 0};
	int r = call_init(&call, registry, "GET", repository, "pull", err,
	    "referrers/%s", text);

	call.headers[0] = "Accept: " MEDIA_OCI_INDEX;
	return r < 0 ? r : pages_walk(registry, &call, read_page, &list, err);
}
