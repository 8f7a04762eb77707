/* SPDX-License-Identifier: Apache-2.0 */
/* The source that is mounted, and what it needs: a registry, HOST[/NAMESPACE],
 * or image layouts in a directory, "oci:DIR". */
#ifndef FS_CONNECTION_H
#define FS_CONNECTION_H

#include <stdbool.h>

#include "http/http.h"
#include "options.h"
#include "source/source.h"

struct creds;

struct connection {
	struct source *source;
	char *base;          /* the repository or namespace that is the top */
	struct http *http;   /* NULL: nothing is asked of a network */
	struct creds *creds; /* likewise */
	bool read_only;      /* wanted so, or the source is */
	unsigned tag_ttl;    /* seconds */
};

/* Whether the text names layouts, and not a registry. */
bool connection_is_layout(const char *text);

/* The text with a directory's absolute path, which stays right wherever the
 * program goes: a new string, or NULL with err filled. */
char *connection_absolute(const char *text, struct err *err);

/* Opens options->registry. What registry_open() and layout_open() say, and
 * -EINVAL with a sentence; to be released also after a failure. */
int connection_open(const struct options *options, struct connection *out,
    struct err *err);

/* All that waits for the network ends, from any thread. */
void connection_cut(const struct connection *connection);

/* Closes the source, after all that uses it has ended. */
void connection_release(struct connection *connection);

#endif
