/* SPDX-License-Identifier: Apache-2.0 */
/* Answers' headers. */
#include "reply.h"

#include <errno.h>
#include <strings.h>

bool reply_is_page(const struct http_response *response)
{
	const char *type = http_header(response, "Content-Type");

	return type && strncasecmp(type, "text/html", 9) == 0;
}

bool reply_is_registrys(const struct http_response *response)
{
	return http_header(response, "Docker-Distribution-Api-Version");
}

bool reply_digest(const struct http_response *response, struct digest *out)
{
	const char *text = http_header(response, "Docker-Content-Digest");

	return text && digest_parse(out, text, ERR_IGNORE) == 0;
}

int reply_check_digest(const struct http_response *response,
    const struct digest *want, const char *what, struct err *err)
{
	char want_text[DIGEST_TEXT_SIZE], got_text[DIGEST_TEXT_SIZE];
	struct digest got;

	if (!reply_digest(response, &got) || got.algorithm != want->algorithm ||
	    digest_equal(&got, want))
		return 0;
	return err_set(err, EBADMSG, "%s: sent %s, and it was stored as %s",
	    what, digest_format(want, want_text),
	    digest_format(&got, got_text));
}
