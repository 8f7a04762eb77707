/* SPDX-License-Identifier: Apache-2.0 */
/* Pull-through caches: how one shows that it is one. */
#include <jansson.h>

#include "call.h"

enum { BODY_MAX = 64 << 10 };

/* docker-registry passes the other registry's refusal on as the detail of an
 * error of its own, where it would say MANIFEST_UNKNOWN of what it stores. */
static bool quotes_another(const struct buf *body)
{
	json_auto_t *root = json_loadb(buf_str(body), body->len, 0, NULL);
	const json_t *first =
	    json_array_get(json_object_get(root, "errors"), 0);
	const json_t *detail = json_object_get(first, "detail");

	return json_array_size(json_object_get(detail, "errors")) > 0;
}

int registry_pulls_through(struct registry *registry, const char *repository,
    struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	CLEANUP(call_release) struct call call = {0};
	AUTO_BUF struct buf body = BUF_INIT(BODY_MAX);
	char text[DIGEST_TEXT_SIZE];
	struct digest empty;
	/* No manifest is empty, so that no registry has this one. */
	int r = digest_of(DIGEST_SHA256, "", 0, &empty, err);

	if (r == 0)
		r = call_init(&call, registry, "GET", repository, "pull", err,
		    "manifests/%s", digest_format(&empty, text));
	if (r < 0)
		return r;
	r = call_send(registry, &call, &response, err);
	if (r < 0)
		return r;
	if (http_status(response) < 500)
		return 0;
	r = http_read_all(response, &body, err);
	return r < 0 ? r : quotes_another(&body);
}
