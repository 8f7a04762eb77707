/* SPDX-License-Identifier: Apache-2.0 */
/* Opens what the command line says is to be mounted. */
#include "connection.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/strf.h"
#include "creds/creds.h"
#include "layout/layout.h"
#include "oci/reference.h"
#include "registry/source.h"

#define LAYOUT_PREFIX "oci:"

enum {
	/* More than the fetches, so that names can be asked for meanwhile. */
	HOST_CONNECTIONS = 20,
	CONNECT_TIMEOUT = 10, /* seconds */
	ATTEMPTS = 4,         /* of a request, as other clients do */
	RETRY_AFTER_MAX = 60, /* seconds that a program is kept waiting */
	/* Seconds. To look at a file again costs next to nothing. */
	TAG_TTL_REMOTE = 10,
	TAG_TTL_LOCAL = 1,
};

bool connection_is_layout(const char *text)
{
	return strncmp(text, LAYOUT_PREFIX, strlen(LAYOUT_PREFIX)) == 0;
}

char *connection_absolute(const char *text, struct err *err)
{
	char path[PATH_MAX];
	char *absolute;

	if (!connection_is_layout(text)) {
		absolute = strdup(text);
	} else if (!realpath(text + strlen(LAYOUT_PREFIX), path)) {
		err_sys(err, "cannot mount %s", text);
		return NULL;
	} else {
		absolute = strf(LAYOUT_PREFIX "%s", path);
	}
	if (!absolute)
		err_nomem(err);
	return absolute;
}

/* "https://host:port/name/space" into address and namespace, both new. */
static int split_registry(const char *text, char **address, char **namespace,
    struct err *err)
{
	const char *host = strstr(text, "://");
	size_t len;

	host = host ? host + 3 : text;
	len = strcspn(host, "/");
	*address = strndup(text, (size_t)(host - text) + len);
	host += len;
	host += strspn(host, "/");
	len = strlen(host);
	while (len && host[len - 1] == '/')
		len--;
	*namespace = strndup(host, len);
	if (!*address || !*namespace)
		return err_nomem(err);
	if (**namespace && !repository_valid(*namespace))
		return err_set(err, EINVAL,
		    "%s is not the name of a repository or namespace: type "
		    "HOST[:PORT], or HOST[:PORT]/NAME to mount that alone",
		    *namespace);
	return 0;
}

/* The mount goes on: a login is seen, and so is a logout, after which what is
 * public can be read. */
static void warn_of_login(struct registry *registry, const char *base)
{
	struct err err = ERR_INIT;

	if (registry_check_login(registry, *base ? base : NULL, &err) < 0)
		log_warn("%s", err.msg);
}

static int open_http(const struct options *options,
    struct connection *connection, struct err *err)
{
	const struct http_options http = {
	    .user_agent = "registryfs/" REGISTRYFS_VERSION,
	    .connect_timeout = options->timeout < CONNECT_TIMEOUT
				   ? options->timeout
				   : CONNECT_TIMEOUT,
	    .stall_timeout = options->timeout,
	    .min_rate = options->min_rate,
	    .attempts = ATTEMPTS,
	    .max_wait = RETRY_AFTER_MAX,
	    .host_connections = HOST_CONNECTIONS,
	};

	connection->http = http_new(&http, err);
	if (!connection->http)
		return -err->code;
	connection->creds = creds_new(options->authfile, err);
	return connection->creds ? 0 : -err->code;
}

static int open_registry(const struct options *options,
    struct connection *connection, struct err *err)
{
	struct registry_options where = {.insecure = options->insecure};
	struct registry *registry;
	AUTO_FREE char *address = NULL;
	int r =
	    split_registry(options->registry, &address, &connection->base, err);

	if (r == 0)
		r = open_http(options, connection, err);
	if (r < 0)
		return r;
	where.address = address;
	r = registry_open(connection->http, connection->creds, &where,
	    &registry, err);
	if (r < 0)
		return r;
	warn_of_login(registry, connection->base);
	return registry_source(registry, &connection->source, err);
}

/* What would show itself could not be read to its end. */
static int check_outside(const char *mountpoint, const char *dir,
    struct err *err)
{
	/* "/" alone ends in one. */
	size_t len = strlen(dir) - (strcmp(dir, "/") == 0);

	if (strncmp(mountpoint, dir, len) != 0 ||
	    (mountpoint[len] && mountpoint[len] != '/'))
		return 0;
	return err_set(err, EINVAL,
	    "cannot mount on %s, which is in %s: mount on a directory that is "
	    "not",
	    mountpoint, dir);
}

static int open_layout(const struct options *options,
    struct connection *connection, struct err *err)
{
	const char *dir = options->registry + strlen(LAYOUT_PREFIX);
	int r = check_outside(options->mountpoint, dir, err);

	if (r == 0)
		r = layout_open(dir, &connection->source, err);
	if (r < 0)
		return r;
	connection->base = strdup(layout_repository(connection->source));
	return connection->base ? 0 : err_nomem(err);
}

int connection_open(const struct options *options, struct connection *out,
    struct err *err)
{
	bool is_layout = connection_is_layout(options->registry);
	int r;

	*out = (struct connection){.read_only = options->read_only,
	    .tag_ttl = options->tag_ttl};
	if (out->tag_ttl == TAG_TTL_UNSET)
		out->tag_ttl = is_layout ? TAG_TTL_LOCAL : TAG_TTL_REMOTE;
	r = is_layout ? open_layout(options, out, err)
		      : open_registry(options, out, err);
	if (r == 0 && !source_can(out->source, SOURCE_PUSHES) &&
	    !out->read_only) {
		log_info("%s cannot be written: the mount is read-only",
		    source_name(out->source));
		out->read_only = true;
	}
	return r;
}

void connection_cut(const struct connection *connection)
{
	if (connection->http)
		http_shutdown(connection->http);
}

void connection_release(struct connection *connection)
{
	if (connection->source)
		source_close(connection->source);
	if (connection->http)
		http_free(connection->http);
	if (connection->creds)
		creds_free(connection->creds);
	free(connection->base);
}
