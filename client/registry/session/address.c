/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of registries. */
#include "address.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/host_name.h"
#include "base/parse.h"

#define HUB_SERVER "registry-1.docker.io"

static bool is_hub(const char *host)
{
	return strcasecmp(host, "docker.io") == 0 ||
	       strcasecmp(host, "index.docker.io") == 0 ||
	       strcasecmp(host, HUB_SERVER) == 0;
}

static bool parse_port(const char **cursor)
{
	const char *p = *cursor;
	uint64_t port;

	if (!(parse_literal(&p, ":") && parse_u64(&p, UINT16_MAX, &port)) ||
	    port == 0)
		return false;
	*cursor = p;
	return true;
}

/* A name or an IPv4 address, or "[…]" around an IPv6 address. */
static bool parse_name(const char **cursor)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._";
	const char *p = *cursor;

	if (*p == '[') {
		size_t len = strspn(p + 1, "0123456789abcdefABCDEF:.");

		if (len == 0 || p[1 + len] != ']')
			return false;
		*cursor += len + 2;
		return true;
	}
	*cursor += strspn(p, letters);
	return *cursor > p && *p != '-' && *p != '.';
}

static bool is_loopback(const char *host)
{
	size_t len = strcspn(host, ":");
	static const char local[] = "localhost";
	size_t local_len = sizeof(local) - 1;
	char canonical[HOST_NAME_SIZE];

	host_name_canonical(host, canonical);
	if (strncmp(canonical, "[::1]", 5) == 0)
		return true;
	if (len >= local_len &&
	    strncasecmp(host + len - local_len, local, local_len) == 0)
		return len == local_len || host[len - local_len - 1] == '.';
	/* Only an address: a name may begin with "127." and be anywhere. */
	return strncmp(host, "127.", 4) == 0 &&
	       strspn(host, "0123456789.") == len;
}

/* Other programs write their own scheme before an address. */
static int refuse_scheme(const char *text, const char *rest, struct err *err)
{
	bool is_host = *rest && *rest != '/';

	return err_set(err, EINVAL,
	    "\"%.200s\" begins with a scheme that registries do not use: use "
	    "%.200s",
	    text, is_host ? rest : "HOST or HOST:PORT");
}

/* A password does not belong in a log. */
static int refuse_user(const char *host, struct err *err)
{
	return err_set(err, EINVAL,
	    "a registry's address cannot have a user or a password (…%.200s): "
	    "log in with registryfs login, or use the option authfile",
	    strrchr(host, '@'));
}

int address_parse(struct address *address, const char *text, struct err *err)
{
	const char *p = text, *host, *scheme;
	size_t len;

	*address = (struct address){0};
	if (parse_literal_nocase(&p, "https://"))
		address->scheme = ADDRESS_HTTPS;
	else if (parse_literal_nocase(&p, "http://"))
		address->scheme = ADDRESS_HTTP;
	host = p;
	scheme = strstr(host, "://");
	if (scheme)
		return refuse_scheme(text, scheme + 3, err);
	if (strchr(host, '@'))
		return refuse_user(host, err);
	if (!parse_name(&p))
		return err_set(err, EINVAL,
		    "\"%.200s\" is not the address of a registry, which is "
		    "HOST or HOST:PORT, such as localhost:5000",
		    text);
	if (*p == ':' && !parse_port(&p))
		return err_set(err, EINVAL, "\"%.200s\" has no valid port",
		    text);
	len = (size_t)(p - host);
	parse_literal(&p, "/");
	if (*p)
		return err_set(err, EINVAL,
		    "\"%.200s\" has more than the host of a registry: use %.*s",
		    text, (int)len, host);
	if (len >= sizeof(address->host))
		return err_set(err, EINVAL, "the registry's name is too long");
	memcpy(address->host, host, len);
	address->loopback = is_loopback(address->host);
	address->hub = is_hub(address->host);
	address->server = address->hub ? HUB_SERVER : address->host;
	return 0;
}

bool address_official(const struct address *address, const char *repository)
{
	return address->hub && !strchr(repository, '/');
}

int address_reference(const struct address *address, bool plain,
    const char *repository, struct reference *out, struct err *err)
{
	const char *host = address->hub ? REFERENCE_HUB : address->host;
	const char *port = "";
	int len;

	*out = (struct reference){.name = ""};
	if (!reference_host(host, strlen(host)))
		port = plain ? ":80" : ":443";
	len = snprintf(out->name, sizeof(out->name), "%s%s/%s%s", host, port,
	    address_official(address, repository) ? "library/" : "",
	    repository);
	if (len < 0 || (size_t)len >= sizeof(out->name))
		return err_set(err, ENAMETOOLONG,
		    "%s/%s: the name is too long for a reference", host,
		    repository);
	return 0;
}
