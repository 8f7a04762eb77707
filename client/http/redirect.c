/* SPDX-License-Identifier: Apache-2.0 */
/* Redirects. */
#include "redirect.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "engine/response.h"
#include "http/grammar.h"

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 ||
	       status == 307 || status == 308;
}

static bool is_safe(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static bool is_https(const char *url)
{
	return strncasecmp(url, "https:", 6) == 0;
}

int redirect_target(const struct http_request *request,
    const struct http_response *response, unsigned followed, char **url,
    struct err *err)
{
	const char *location = http_header(response, "Location");
	AUTO_FREE char *target = NULL;

	if (request->max_redirects == 0 || !is_safe(request->method) ||
	    !is_redirect(http_status(response)) || !location)
		return 0;
	if (followed >= request->max_redirects)
		return err_set(err, ELOOP, "%s %s: more than %u redirects",
		    request->method, response->shown, request->max_redirects);
	target = http_url_resolve(response->url, location, err);
	if (!target)
		return -err->code;
	if (is_https(response->url) && !is_https(target))
		return err_set(err, EPROTO,
		    "%s %s: redirected from https to plain http",
		    request->method, response->shown);
	*url = steal(&target);
	return 1;
}
