/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives of several images: to which repository of which source one belongs,
 * by the name that it has in the archive and the directory that the archive is
 * written into.
 *
 *	HOST/NAME:TAG   to that host's NAME, if it is in the directory
 *	NAME:TAG        to NAME in the directory, also where podman says of
 *	                what it built that it is localhost's
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hosts.h"
#include "node/view.h"
#include "oci/reference.h"

/* What podman puts before the names of images that are of no registry. */
static const char no_host[] = "localhost";

/* The length of the host that a name begins with; 0: of none. */
static size_t host_length(const char *name)
{
	size_t len = strcspn(name, "/");

	return name[len] == '/' && reference_host(name, len) ? len : 0;
}

static bool is_host(const char *name, size_t len, const char *host)
{
	return strlen(host) == len && strncmp(name, host, len) == 0;
}

/* Whether a repository is the directory, or below it. */
static bool is_in(const char *repository, const char *dir)
{
	size_t len = strlen(dir);

	return !len || (strncmp(repository, dir, len) == 0 &&
			   (!repository[len] || repository[len] == '/'));
}

static int set_place(struct push_place *out, struct mount_source *source,
    const char *dir, const char *path, struct err *err)
{
	int len = snprintf(out->repository, sizeof(out->repository), "%s%s%s",
	    dir, *dir ? "/" : "", path);

	if (len < 0 || (size_t)len >= sizeof(out->repository) ||
	    !repository_valid(out->repository))
		return err_set(err, EINVAL, "not a valid repository name");
	out->images = source->images;
	return 1;
}

/* Of a name without a host, in a directory of a source. */
static int place_relative(struct mount_source *source, const char *dir,
    const char *path, const char *host, struct push_place *out, struct err *err)
{
	if (*dir && is_in(path, dir))
		return set_place(out, source, "", path, err);
	if (!*dir && !strchr(path, '/') && strcmp(host, REFERENCE_HUB) == 0)
		dir = "library";
	return set_place(out, source, dir, path, err);
}

/* What clients call the host of a source, and of a layout nothing does. */
static int host_of(const struct mount_source *source, char *out, size_t size,
    struct err *err)
{
	struct reference reference;
	int r = source_reference(images_source(source->images), "name",
	    &reference, err);

	if (r == 0)
		snprintf(out, size, "%.*s", (int)host_length(reference.name),
		    reference.name);
	return r;
}

static int place_in(struct mount_source *source, const char *dir,
    const char *name, struct push_place *out, struct err *err)
{
	size_t len = host_length(name);
	const char *path = len ? name + len + 1 : name;
	char host[REFERENCE_HOST_MAX + 1];
	int r = host_of(source, host, sizeof(host), err);

	if (r < 0)
		return r;
	if (len && is_host(name, len, host))
		return is_in(path, dir) ? set_place(out, source, "", path, err)
					: 0;
	if (len && !is_host(name, len, no_host))
		return 0;
	return place_relative(source, dir, path, host, out, err);
}

/* Above the hosts. */
static int place_at_host(struct mount *mount, const char *name,
    struct push_place *out, struct err *err)
{
	size_t len = host_length(name);
	struct mount_source *source;
	char host[REFERENCE_NAME_SIZE];
	int r;

	if (!len || is_host(name, len, no_host))
		return err_set(err, EINVAL,
		    "it says no host: write the archive to the directory of a "
		    "host");
	snprintf(host, sizeof(host), "%.*s", (int)len, name);
	source = mount_source_find(mount, host);
	r = source != NULL;
	if (!source && mount->hosts)
		r = hosts_find(mount->hosts, host, &source, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, EINVAL, "there is no registry %s here",
		    host);
	return is_in(name + len + 1, source->base)
		   ? set_place(out, source, "", name + len + 1, err)
		   : 0;
}

static int place(const struct write_intent *intent, const char *text,
    struct push_place *out, struct err *err)
{
	struct mount_source *source = intent->source;
	struct reference reference;
	int r = reference_parse(&reference, text, err);

	if (r < 0)
		return r;
	memcpy(out->tag, reference.tag, sizeof(out->tag));
	if (source->images)
		return place_in(source, intent->repository, reference.name, out,
		    err);
	return place_at_host(source->mount, reference.name, out, err);
}

const struct write_kind write_bundle = {.is_archive = true, .place = place};
