/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "layer/writer.h"
#include "node/mount.h"
#include "oci/platform.h"
#include "sources/sources.h"

enum options_action {
	OPTIONS_MOUNT,
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_LIST,          /* for completions (mount_options.h) */
	OPTIONS_LIST_COMMANDS, /* likewise (commands/commands.h) */
};

struct options {
	enum options_action action;
	/* What is mounted: registries and "oci:DIR"; none: all hosts. In argv,
	 * as all strings but cache. */
	char **sources;
	size_t source_count;
	size_t resolved; /* of them, which are ours and not in argv */
	const char *mountpoint;
	bool foreground;
	bool debug_fuse;
	const char *debug; /* topics, or NULL */

	bool read_only;
	bool allow_other;
	bool insecure;
	bool offline; /* nothing is asked of a network, and nothing written */
	bool stale;   /* a registry that is away is shown as last seen */
	bool noexec;
	bool trust_suid;
	bool trust_dev;
	bool squash;
	bool prefetch;
	enum delete_policy delete_tags;
	bool referrers;
	char *cache;         /* directory */
	uint64_t cache_size; /* bytes */
	unsigned tag_ttl;    /* seconds, or TAG_TTL_UNSET */
	unsigned timeout;    /* seconds */
	uint64_t min_rate;   /* bytes a second */
	struct platform platform;
	struct layer_format compression;
	const char *authfile;   /* or NULL */
	const char *list;       /* what lists repositories, or NULL */
	unsigned watch;         /* seconds, or 0: nothing is looked at */
	const char *watch_glob; /* or NULL */
	const char *webhook;    /* where it listens, or NULL */
	const char *hook;       /* a command, or NULL */
	int64_t epoch;          /* of images that are made, or EPOCH_NONE */
};

/* Defaults, then argv, whose -o strings it cuts up. -EINVAL with a sentence. */
int options_parse(struct options *options, int argc, char **argv,
    struct err *err);

/* Makes what the sources say right wherever the program goes. What
 * connection_absolute() says. */
int options_resolve(struct options *options, struct err *err);

/* Frees what options_parse() and options_resolve() have made. */
void options_release(struct options *options);

/* Appends --help's page. */
int options_help(struct buf *out, struct err *err);

#endif
