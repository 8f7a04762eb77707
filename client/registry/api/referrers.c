/* SPDX-License-Identifier: Apache-2.0 */
/* What refers to a manifest: distribution-spec "Listing Referrers". */
#include <errno.h>
#include <string.h>

#include "answer/refusal.h"
#include "answer/reply.h"
#include "oci/manifest.h"
#include "pages.h"

struct referrers_call {
	source_referrer_fn *each;
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
	switch (http_status(response)) {
	case 200:
		return reply_is_page(response);
	case 400:
	case 404:
	case 405:
	case 406:
		return true;
	default:
		return false;
	}
}

/* What has no name is another thing than what has no list, and what has had a
 * list has one, whatever a gateway says. */
static int absent(struct registry *registry, const struct call *call,
    struct http_response *response, const char *what, struct err *err)
{
	bool lists = atomic_load(&registry->lists_referrers);
	struct err said = ERR_INIT;
	struct refusal refusal;

	refusal_read(response, &refusal);
	call_refused_by(registry, call, &refusal, what, &said);
	if (strcmp(refusal.code, "NAME_UNKNOWN") == 0) {
		*err = said;
		return -said.code;
	}
	err_set(err, lists && !*refusal.code ? EIO : EOPNOTSUPP,
	    "the registry does not list referrers: %s", said.msg);
	err->http = refusal.status;
	return -err->code;
}

/* Some servers call it just JSON. */
static int read_index(struct http_response *response,
    struct referrers_call *list, struct page *page, struct err *err)
{
	AUTO_BUF struct buf body = BUF_INIT(MANIFEST_MAX_BYTES);
	CLEANUP(manifest_free_p) struct manifest *index = NULL;
	struct err wrong = ERR_INIT;
	int r = http_read_all(response, &body, err);

	if (r < 0)
		return r;
	if (manifest_parse(buf_str(&body), body.len, MEDIA_OCI_INDEX, &index,
		&wrong) < 0) {
		char said[sizeof(err->msg)];

		refusal_of_body(buf_str(&body), body.len, err);
		memcpy(said, err->msg, sizeof(said));
		return err_set(err, EIO, "%s: %s", said, wrong.msg);
	}
	for (size_t i = 0; r == 0 && i < index->entry_count; i++) {
		char text[DIGEST_TEXT_SIZE];

		page_add(page, digest_format(&index->entries[i].digest, text));
		r = list->each(list->arg, &index->entries[i], err);
	}
	return r;
}

static int read_page(struct registry *registry, const struct call *call,
    struct http_response *response, struct page *page, void *arg,
    struct err *err)
{
	struct referrers_call *list = arg;
	int r;

	if (list->pages == 0 && is_absent(response))
		return absent(registry, call, response, list->what, err);
	if (http_status(response) != 200) {
		call_refused(registry, call, response, list->what, err);
		/* A page that is missing is no name that is. */
		if (err->code == ENOENT)
			err->code = EIO;
		return -err->code;
	}
	r = read_index(response, list, page, err);
	list->pages++;
	if (r == 0)
		atomic_store(&registry->lists_referrers, true);
	return r < 0 ? err_wrap(err, "%s: referrers of %s",
			   registry->address.host, list->what)
		     : r;
}

int registry_referrers(struct registry *registry, const char *repository,
    const struct digest *digest, source_referrer_fn *each, void *arg,
    struct err *err)
{
	CLEANUP(call_release) struct call call;
	char text[DIGEST_TEXT_SIZE];
	struct call_what it =
	    call_what(repository, digest_format(digest, text));
	struct referrers_call list = {each, arg, it.text, 0};
	int r = call_init(&call, registry, "GET", repository, "pull", err,
	    "referrers/%s", text);

	call.headers[0] = "Accept: " MEDIA_OCI_INDEX;
	return r < 0 ? r : pages_walk(registry, &call, read_page, &list, err);
}
