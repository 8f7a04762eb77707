/* SPDX-License-Identifier: Apache-2.0 */
/* Puts a mount together, serves it, takes it apart. */
#include "session.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/strf.h"
#include "connection.h"
#include "habits/habits.h"
#include "habits/refusals.h"
#include "kernel/borrow.h"
#include "kernel/channel.h"
#include "kernel/feed.h"
#include "kernel/loop.h"
#include "kernel/op.h"
#include "kernel/spent.h"
#include "mirror/mirror.h"
#include "node/nodes.h"
#include "scratch/scratch.h"
#include "signals.h"
#include "tag/made.h"
#include "upload/written_file.h"

enum {
	FETCHES_MAX = 6,              /* blobs at the same time */
	LARGE_ALLOCATION = 256 << 10, /* bytes */
};

/* All of a mount, in the order in which it is made. */
struct session {
	const struct options *options;
	struct mount mount;
	struct mount_source source; /* of its root: all that it has */
	struct connection connection;
	struct store *store;
	struct node *root; /* held */
	struct channel *channel;
	struct loop *loop;
};

static void session_release(struct session *session)
{
	struct mount *mount = &session->mount;

	/* Whatever waits for the network ends first. */
	connection_cut(&session->connection);
	feed_free(mount->feed);
	channel_free(session->channel);
	loop_free(session->loop);
	op_close_all(mount);
	borrowed_free(mount->borrowed);
	if (mount->written)
		written_names_end(mount->written);
	if (mount->nodes)
		node_table_free(mount->nodes);
	if (mount->written)
		written_names_free(mount->written);
	if (mount->scratches) {
		mirrors_end(&session->source);
		scratches_free(mount->scratches);
	}
	if (session->source.made)
		made_free(session->source.made);
	attempts_free(mount->attempts);
	refusals_free(mount->refusals);
	spent_free(mount->spent);
	mirrors_free(session->source.mirrors);
	if (session->source.images)
		images_free(session->source.images);
	pthread_mutex_destroy(&mount->handles_lock);
	pthread_mutex_destroy(&mount->ops_lock);
	if (session->store)
		store_close(session->store);
	connection_release(&session->connection);
}

static int open_images(struct session *session, struct err *err)
{
	const struct options *options = session->options;
	const struct store_options store = {options->cache, options->cache_size,
	    FETCHES_MAX};
	const struct images_options images = {options->platform,
	    session->connection.tag_ttl, options->compression, options->epoch};
	int r = store_open(&store, &session->store, err);

	if (r < 0)
		return r;
	return images_new(session->connection.source, session->store, &images,
	    &session->source.images, err);
}

static int make_mount(struct session *session, struct err *err)
{
	struct mount *mount = &session->mount;
	struct mount_source *source = &session->source;

	source->mount = mount;
	source->name = "";
	source->base = session->connection.base;
	mount->source = source;
	mount->store = session->store;
	mount->views = views;
	mount->write_kinds = write_kinds;
	mount->uid = getuid();
	mount->gid = getgid();
	clock_gettime(CLOCK_REALTIME, &mount->started);
	clock_gettime(CLOCK_MONOTONIC, &mount->started_clock);
	mount->http = session->connection.http;
	mount->mountpoint = session->options->mountpoint;
	mount->cache_size = session->options->cache_size;
	mount->tag_ttl = session->connection.tag_ttl;
	mount->read_only = session->connection.read_only;
	mount->squash = session->options->squash;
	mount->shared = session->options->allow_other;
	mount->prefetch = session->options->prefetch;
	mount->referrers = session->options->referrers;
	mount->cache_dir = session->options->cache;
	mount->delete_tags = session->options->delete_tags;
	mount->borrowed = borrowed_new(err);
	if (!mount->borrowed)
		return -err->code;
	mount->nodes = node_table_new(err);
	if (!mount->nodes)
		return -err->code;
	source->made = made_new(err);
	if (!source->made)
		return -err->code;
	source->mirrors = mirrors_new(err);
	if (!source->mirrors)
		return -err->code;
	mount->attempts = attempts_new(err);
	if (!mount->attempts)
		return -err->code;
	mount->refusals = refusals_new(err);
	if (!mount->refusals)
		return -err->code;
	mount->spent = spent_new(session->options->timeout, err);
	if (!mount->spent)
		return -err->code;
	mount->scratches = scratches_new(err);
	if (!mount->scratches)
		return -err->code;
	mount->written = written_names_new(err);
	if (!mount->written)
		return -err->code;
	return repo_node_root(source, source->base, &session->root, err);
}

/* As libfuse reads options; NULL when out of memory. */
static char *escape_commas(const char *text)
{
	char *escaped = malloc(2 * strlen(text) + 1), *to = escaped;

	for (; escaped && *text; text++) {
		if (*text == ',' || *text == '\\')
			*to++ = '\\';
		*to++ = *text;
	}
	if (escaped)
		*to = '\0';
	return escaped;
}

static int open_channel(struct session *session, struct err *err)
{
	const struct options *options = session->options;
	AUTO_FREE char *name = escape_commas(options->registry);
	AUTO_FREE char *mount_options =
	    strf("fsname=%s,subtype=registryfs%s%s%s%s%s", name ? name : "",
		session->connection.read_only ? ",ro" : "",
		/* Others see what this user may, and no more. */
		options->allow_other ? ",allow_other,default_permissions" : "",
		options->noexec ? ",noexec" : "",
		options->trust_suid ? ",suid" : "",
		options->trust_dev ? ",dev" : "");
	int r;

	if (!name || !mount_options)
		return err_nomem(err);
	r = channel_new(&session->mount, mount_options, options->debug_fuse,
	    &session->channel, err);
	if (r < 0)
		return r;
	session->mount.feed = feed_new(channel_session(session->channel), err);
	return session->mount.feed ? 0 : -err->code;
}

static bool end(void *arg)
{
	struct session *session = arg;

	if (!feed_stop(session->mount.feed))
		return false;
	loop_end(session->loop);
	return true;
}

static void end_soon(void *arg)
{
	op_interrupt_all(&((struct session *)arg)->mount);
}

static void end_now(void *arg)
{
	connection_cut(&((struct session *)arg)->connection);
}

static int serve(struct session *session, struct err *err)
{
	struct signals *signals = NULL;
	struct ending ending = {.grace = session->options->timeout,
	    .end = end,
	    .soon = end_soon,
	    .now = end_now,
	    .arg = session};
	int r = loop_new(channel_session(session->channel), end_soon, session,
	    &session->loop, err);

	if (r == 0)
		r = signals_start(&ending, &signals, err);
	if (r == 0)
		r = loop_run(session->loop, err);
	/* A change is brought to its end, though nobody may wait for it. */
	completer_wait(images_completer(session->source.images));
	signals_stop(signals);
	return r;
}

/* Each layer in use holds two files or so. The usual limit is low for the sake
 * of programs whose sets of descriptors have a fixed size. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int session_run(const struct options *options, void (*ready)(void *arg),
    void *arg, struct err *err)
{
	CLEANUP(session_release)
	struct session session = {
	    .options = options,
	    .mount = {.ready = ready, .ready_arg = arg},
	};
	int r;

	/* Memory that a burst of threads once used is not to stay with each. */
	mallopt(M_ARENA_MAX, 2);
	/* Threads call this: the heap has to be there before them, also where
	 * a sanitizer's stands in front of it. */
	malloc_trim(0);
	/* Nor is what was large once to be kept for what is small: each large
	 * piece comes from the system, and goes back there. */
	mallopt(M_MMAP_THRESHOLD, LARGE_ALLOCATION);
	pthread_mutex_init(&session.mount.handles_lock, NULL);
	pthread_mutex_init(&session.mount.ops_lock, NULL);
	raise_file_limit();
	signals_block();
	r = connection_open(options, &session.connection, err);
	if (r == 0)
		r = open_images(&session, err);
	if (r == 0)
		r = make_mount(&session, err);
	if (r == 0)
		r = open_channel(&session, err);
	if (r == 0)
		r = channel_mount(session.channel, err);
	if (r == 0)
		r = serve(&session, err);
	return r;
}
