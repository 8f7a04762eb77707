/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of files share. */
#include "files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"

int config_slurp(const char *path, struct buf *out, struct err *err)
{
	struct err reason = ERR_INIT;
	int r = file_slurp(path, out, &reason);

	if (r == -EACCES)
		config_unreadable(path);
	if (r == -ENOENT || r == -ENOTDIR || r == -EACCES)
		return 0;
	if (r < 0)
		*err = reason;
	return r < 0 ? r : 1;
}

/* Engines that run as root have files that are root's alone. */
void config_unreadable(const char *path)
{
	log_warn("%s is ignored: this user may not read it", path);
}

/* The path of a url in two: what comes before the API's "/v2", and below it a
 * namespace. */
static int split_path(struct rule_place *place, const char *path, size_t len,
    bool whole, struct err *err)
{
	const char *root = memmem(path, len, "/v2/", 4);
	size_t before = len;

	while (len > 0 && path[len - 1] == '/')
		len--;
	if (root) {
		before = (size_t)(root - path);
		place->namespace = before + 4 < len
				       ? strndup(root + 4, len - before - 4)
				       : strdup("");
	} else {
		bool ends = len >= 3 && strncmp(path + len - 3, "/v2", 3) == 0;

		if (whole && !ends)
			return err_set(err, EINVAL,
			    "a path without /v2 in it cannot be used with "
			    "override_path");
		before = ends ? len - 3 : len;
		place->namespace = strdup("");
	}
	place->path = strndup(path, before);
	return place->namespace && place->path ? 0 : err_nomem(err);
}

int place_parse_url(struct rule_place *place, const char *url, bool whole,
    struct err *err)
{
	const char *scheme = strstr(url, "://");
	const char *host = scheme ? scheme + 3 : url;
	size_t len = strcspn(host, "/?#");

	if (len == 0 || host[len] == '?' || host[len] == '#')
		return err_set(err, EINVAL, "it is no url of a registry");
	if (memchr(host, '@', len))
		return err_set(err, EINVAL,
		    "it has a user or a password, which belong into an auth "
		    "file");
	place->address = strndup(url, (size_t)(host - url) + len);
	if (!place->address)
		return err_nomem(err);
	return split_path(place, host + len, strlen(host + len), whole, err);
}
