/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry is called, and where it may lead us. */
#include "session.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/strf.h"
#include "http/grammar.h"

const char *registry_host(const struct registry *registry)
{
	return registry->address.host;
}

int session_check_url(const struct registry *registry, const char *url,
    struct err *err)
{
	if (!http_url_is_plain(url) || http_url_is_plain(registry->origin) ||
	    registry->insecure)
		return 0;
	return err_set(err, EPROTO, "%s leads to plain http (%.200s)",
	    registry->address.host, url);
}

const struct http_tls *session_trust(const struct registry *registry,
    const char *url)
{
	return http_same_origin(url, registry->origin) ? &registry->tls
						       : &registry->tls_abroad;
}

struct authority {
	const char *host;
	size_t host_len;
	bool port; /* it names one */
};

static struct authority url_authority(const char *url)
{
	const char *scheme_end = strstr(url, "://");
	struct authority a = {.host = scheme_end ? scheme_end + 3 : url};
	size_t len = strcspn(a.host, "/?#");

	a.host_len = len;
	while (a.host_len && strchr("0123456789", a.host[a.host_len - 1]))
		a.host_len--;
	a.port = a.host_len && a.host[a.host_len - 1] == ':';
	a.host_len = a.port ? a.host_len - 1 : len;
	return a;
}

/* Whether the url is the origin's but for what a proxy hides from it. */
static bool lost_origin(const char *url, const char *origin)
{
	struct authority a = url_authority(url), b = url_authority(origin);

	return a.host_len == b.host_len &&
	       strncasecmp(a.host, b.host, a.host_len) == 0 &&
	       (!a.port || http_url_is_plain(url) != http_url_is_plain(origin));
}

char *session_own_url(const struct registry *registry, const char *url)
{
	const char *host = strstr(url, "://");
	const char *path = host ? host + 3 : url;

	path += strcspn(path, "/?#");
	return strf("%s%s%s", registry->origin, *path == '/' ? "" : "/", path);
}

int session_location(const struct registry *registry, const char *base,
    const char *location, char **out, struct err *err)
{
	AUTO_FREE char *url = http_url_resolve(base, location, err);
	int r;

	if (!url)
		return -err->code;
	if (lost_origin(url, registry->origin)) {
		*out = session_own_url(registry, url);
		return *out ? 0 : err_nomem(err);
	}
	r = session_check_url(registry, url, err);
	if (r == 0)
		*out = steal(&url);
	return r;
}
