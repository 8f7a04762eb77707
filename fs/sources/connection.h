/* SPDX-License-Identifier: Apache-2.0 */
/* Opens what the command line calls a source: a registry, HOST[/NAMESPACE], an
 * image of it, HOST/NAME:TAG or HOST/NAME@DIGEST, image layouts in a
 * directory, "oci:DIR", or an archive, "docker-archive:FILE" or
 * "oci-archive:FILE". What other tools call a registry is understood. */
#ifndef FS_CONNECTION_H
#define FS_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "http/http.h"
#include "source/source.h"

struct creds;

struct connection_options {
	const char *mountpoint; /* absolute */
	const char *authfile;   /* or NULL */
	const char *lister;     /* as in registry_options, or NULL */
	bool insecure;
	bool offline;      /* no registry is asked for anything */
	unsigned timeout;  /* seconds */
	uint64_t min_rate; /* bytes a second */
};

/* What all registries of a mount are reached through. */
struct network {
	const struct connection_options *options; /* borrowed */
	struct http *http;   /* NULL: nothing is asked of a network */
	struct creds *creds; /* likewise */
};

/* Starts it, if it is not; -errno as http_new() and creds_new(). Not from two
 * threads. */
int network_start(struct network *network, struct err *err);

/* All that waits for the network ends, from any thread. */
void network_cut(const struct network *network);

/* After all sources are closed. */
void network_release(struct network *network);

/* Whether connection_options can have that lister. */
bool connection_lister_known(const char *name);

/* Whether the text names layouts, and not a registry. */
bool connection_is_layout(const char *text);

/* Whether it names layouts or an archive of images. */
bool connection_is_on_disk(const char *text);

/* The text with a directory's absolute path, which stays right wherever the
 * program goes: a new string, or NULL with err filled. */
char *connection_absolute(const char *text, struct err *err);

/* A source, and what of it is mounted. */
struct connection {
	struct source *source;
	char *base;  /* the repository or namespace that is the top; "": all */
	char *image; /* the tag, or the digest's text, of the one image of the
		      * repository that is; NULL: all */
};

/* Opens the source that the text names. What routes_open() and layout_open()
 * say, and -EINVAL with a sentence. */
int connection_open(struct network *network, const char *text,
    struct connection *out, struct err *err);

/* The same of a registry that is opened when it is first asked for something;
 * layouts are opened now. */
int connection_open_later(struct network *network, const char *text,
    struct connection *out, struct err *err);

/* Closes the source, after all that uses it has ended. */
void connection_release(struct connection *connection);

#endif
