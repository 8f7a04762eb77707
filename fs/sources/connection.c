/* SPDX-License-Identifier: Apache-2.0 */
/* Opens what the command line names. */
#include "connection.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strf.h"
#include "creds/creds.h"
#include "layout/layout.h"
#include "oci/reference.h"
#include "routes/routes.h"
#include "saved/saved.h"

#define LAYOUT_PREFIX "oci:"
/* Of archives: what other tools say. Which of the two it is, is its content's
 * to say. */
#define DOCKER_ARCHIVE_PREFIX "docker-archive:"
#define OCI_ARCHIVE_PREFIX "oci-archive:"
/* Of registries: what Helm and Flux say. */
#define OCI_TRANSPORT "oci://"
#define DOCKER_TRANSPORT "docker://"
#define API_PATH "v2/"

enum {
	/* More than the fetches, so that names can be asked for meanwhile. */
	HOST_CONNECTIONS = 20,
	CONNECT_TIMEOUT = 10, /* seconds */
	ATTEMPTS = 4,         /* of a request, as other clients do */
	RETRY_AFTER_MAX = 60, /* seconds that a program is kept waiting */
	MIRROR_PAUSE = 60,    /* seconds that one which failed is left alone */
};

bool connection_lister_known(const char *name)
{
	return routes_lister_known(name);
}

bool connection_is_layout(const char *text)
{
	return strncmp(text, LAYOUT_PREFIX, strlen(LAYOUT_PREFIX)) == 0 &&
	       strncmp(text, OCI_TRANSPORT, strlen(OCI_TRANSPORT)) != 0;
}

/* The length of the prefix of what lies on a disk; 0: it is a registry. */
static size_t disk_prefix(const char *text)
{
	static const char *const archives[] = {DOCKER_ARCHIVE_PREFIX,
	    OCI_ARCHIVE_PREFIX};

	for (size_t i = 0; i < sizeof(archives) / sizeof(*archives); i++)
		if (strncmp(text, archives[i], strlen(archives[i])) == 0)
			return strlen(archives[i]);
	return connection_is_layout(text) ? strlen(LAYOUT_PREFIX) : 0;
}

bool connection_is_on_disk(const char *text)
{
	return disk_prefix(text) > 0;
}

/* Nothing but a path begins so; and what has a layout in it is most likely
 * meant as one, though a host can have that name. */
static int check_no_path(const char *text, struct err *err)
{
	AUTO_FREE char *marker = strf("%s/oci-layout", text);
	struct stat st;

	if (!marker)
		return err_nomem(err);
	if (stat(text, &st) < 0)
		return 0;
	if (S_ISREG(st.st_mode))
		return err_set(err, EINVAL,
		    "%s is a file and not a registry: "
		    "type " DOCKER_ARCHIVE_PREFIX
		    "%s to mount the images in it, or "
		    "https://%s to mount a registry of that name",
		    text, text, text);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (*text == '/' || *text == '.')
		return err_set(err, EINVAL,
		    "%s is a directory and not a registry: type " LAYOUT_PREFIX
		    "%s to mount the image layouts in it",
		    text, text);
	if (access(marker, F_OK) < 0)
		return 0;
	return err_set(err, EINVAL,
	    "%s is a directory with an image layout: type " LAYOUT_PREFIX
	    "%s to mount that, or https://%s to mount a registry of that name",
	    text, text, text);
}

char *connection_absolute(const char *text, struct err *err)
{
	size_t prefix = disk_prefix(text);
	char path[PATH_MAX];
	char *absolute;

	if (!prefix) {
		if (check_no_path(text, err) < 0)
			return NULL;
		absolute = strdup(text);
	} else if (!realpath(text + prefix, path)) {
		err_sys(err, "cannot mount %s", text);
		return NULL;
	} else {
		absolute = strf("%.*s%s", (int)prefix, text, path);
	}
	if (!absolute)
		err_nomem(err);
	return absolute;
}

/* What other tools put before a host. */
static const char *skip_transport(const char *text)
{
	static const char *const transports[] = {OCI_TRANSPORT,
	    DOCKER_TRANSPORT};

	for (size_t i = 0; i < sizeof(transports) / sizeof(*transports); i++)
		if (strncmp(text, transports[i], strlen(transports[i])) == 0)
			return text + strlen(transports[i]);
	return text;
}

static int check_base(const char *base, struct err *err)
{
	if (!*base || repository_valid(base))
		return 0;
	return err_set(err, EINVAL,
	    "%s is not the name of a repository or namespace: type "
	    "HOST[:PORT], or HOST[:PORT]/NAME to mount that alone",
	    base);
}

/* The path of a registry's address, without slashes at its ends: a repository
 * or namespace, an image, or the registry's API, "v2", which is all of it. */
static int split_path(const char *path, struct connection *out, struct err *err)
{
	struct reference reference;
	char text[DIGEST_TEXT_SIZE];
	int r;

	if (strcmp(path, "v2") == 0)
		path = "";
	if (strncmp(path, API_PATH, strlen(API_PATH)) == 0)
		return err_set(err, EINVAL,
		    "%s is a path of the registry's API: type HOST[:PORT]/%s "
		    "to mount that repository or namespace",
		    path, path + strlen(API_PATH));
	out->base = strdup(path);
	if (!out->base)
		return err_nomem(err);
	if (!strpbrk(path, ":@"))
		return check_base(path, err);
	r = reference_parse(&reference, path, err);
	if (r < 0)
		return r;
	free(out->base);
	out->base = strdup(reference.name);
	out->image = strdup(digest_is_set(&reference.digest)
				? digest_format(&reference.digest, text)
				: reference.tag);
	return out->base && out->image ? check_base(out->base, err)
				       : err_nomem(err);
}

/* "https://host:port/name/space" into the address, a new string, and what of it
 * is mounted. */
static int split_registry(const char *text, char **address,
    struct connection *out, struct err *err)
{
	const char *host;
	AUTO_FREE char *path = NULL;
	size_t len;

	text = skip_transport(text);
	host = strstr(text, "://");
	host = host ? host + 3 : text;
	len = strcspn(host, "/");
	*address = strndup(text, (size_t)(host - text) + len);
	host += len;
	host += strspn(host, "/");
	len = strlen(host);
	while (len && host[len - 1] == '/')
		len--;
	path = strndup(host, len);
	return *address && path ? split_path(path, out, err) : err_nomem(err);
}

int network_start(struct network *network, struct err *err)
{
	const struct connection_options *options = network->options;
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
	    .offline = options->offline,
	};

	if (!network->http)
		network->http = http_new(&http, err);
	if (!network->http)
		return -err->code;
	if (!network->creds)
		network->creds = creds_new(options->authfile, err);
	return network->creds ? 0 : -err->code;
}

void network_cut(const struct network *network)
{
	if (network->http)
		http_shutdown(network->http);
}

void network_release(struct network *network)
{
	if (network->http)
		http_free(network->http);
	if (network->creds)
		creds_free(network->creds);
}

static int open_registry(struct network *network, const char *text, bool later,
    struct connection *out, struct err *err)
{
	struct routes_options options = {.insecure = network->options->insecure,
	    .lister = network->options->lister,
	    .pause = MIRROR_PAUSE,
	    .later = later};
	AUTO_FREE char *address = NULL;
	int r = split_registry(text, &address, out, err);

	if (r == 0)
		r = network_start(network, err);
	if (r < 0)
		return r;
	options.address = address;
	options.repository = out->base;
	return routes_open(network->http, network->creds, &options,
	    &out->source, err);
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

static int open_layout(const struct network *network, const char *text,
    struct connection *out, struct err *err)
{
	const char *dir = text + strlen(LAYOUT_PREFIX);
	int r = check_outside(network->options->mountpoint, dir, err);

	if (r == 0)
		r = layout_open(dir, network->options->timeout, &out->source,
		    err);
	if (r < 0)
		return r;
	out->base = strdup(layout_repository(out->source));
	return out->base ? 0 : err_nomem(err);
}

static int open_archive(const char *text, struct connection *out,
    struct err *err)
{
	int r = saved_open(text + disk_prefix(text), text, &out->source, err);

	if (r < 0)
		return r;
	out->base = strdup("");
	return out->base ? 0 : err_nomem(err);
}

static int open_source(struct network *network, const char *text, bool later,
    struct connection *out, struct err *err)
{
	CLEANUP(connection_release) struct connection made = {0};
	int r = connection_is_layout(text)
		    ? open_layout(network, text, &made, err)
		: connection_is_on_disk(text)
		    ? open_archive(text, &made, err)
		    : open_registry(network, text, later, &made, err);

	if (r < 0)
		return r;
	out->source = steal(&made.source);
	out->base = steal(&made.base);
	out->image = steal(&made.image);
	return 0;
}

int connection_open(struct network *network, const char *text,
    struct connection *out, struct err *err)
{
	return open_source(network, text, false, out, err);
}

int connection_open_later(struct network *network, const char *text,
    struct connection *out, struct err *err)
{
	return open_source(network, text, true, out, err);
}

void connection_release(struct connection *connection)
{
	if (connection->source)
		source_close(connection->source);
	free(connection->base);
	free(connection->image);
}
