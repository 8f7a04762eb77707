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
#include "habits/habits.h"
#include "habits/refusals.h"
#include "kernel/borrow.h"
#include "kernel/channel.h"
#include "kernel/feed.h"
#include "kernel/loop.h"
#include "kernel/op.h"
#include "kernel/spent.h"
#include "node/nodes.h"
#include "scratch/scratch.h"
#include "signals.h"
#include "sources/hosts.h"
#include "upload/written_file.h"
#include "views/makers.h"
#include "watch/watching.h"

enum {
	FETCHES_MAX = 6,              /* blobs at the same time */
	LARGE_ALLOCATION = 256 << 10, /* bytes */
};

/* All of a mount, in the order in which it is made. */
struct session {
	const struct options *options;
	struct mount mount;
	struct store *store;
	struct images_shared *shared;
	struct mount_sources *sources;
	struct mount_source *only; /* that is the mount point, or NULL */
	struct hosts *hosts;       /* NULL: no other may be entered */
	struct node *root;         /* held */
	struct channel *channel;
	struct watchers *watching; /* NULL: nothing watches */
	struct loop *loop;
};

static void session_release(struct session *session)
{
	struct mount *mount = &session->mount;

	/* Whatever waits for the network ends first. */
	if (session->sources)
		mount_sources_cut(session->sources);
	watching_stop(session->watching);
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
		mount_sources_end(session->sources);
		scratches_free(mount->scratches);
	}
	hosts_free(session->hosts);
	attempts_free(mount->attempts);
	refusals_free(mount->refusals);
	spent_free(mount->spent);
	if (session->sources)
		mount_sources_release_images(session->sources);
	if (session->shared)
		images_shared_free(session->shared);
	pthread_mutex_destroy(&mount->handles_lock);
	pthread_mutex_destroy(&mount->ops_lock);
	if (session->store)
		store_close(session->store);
	if (session->sources)
		mount_sources_free(session->sources);
}

static int make_sources(struct session *session, struct err *err)
{
	const struct options *options = session->options;
	const struct mount_sources_options sources = {
	    .connection = {.mountpoint = options->mountpoint,
		.authfile = options->authfile,
		.lister = options->list,
		.insecure = options->insecure,
		.offline = options->offline,
		.timeout = options->timeout,
		.min_rate = options->min_rate},
	    .images = {.platform = options->platform,
		.format = options->compression,
		.epoch = options->epoch,
		.no_stale = !options->stale && !options->offline},
	    .tag_ttl = options->tag_ttl,
	};

	session->sources = mount_sources_new(&session->mount, &sources, err);
	return session->sources ? 0 : -err->code;
}

static int open_store(struct session *session, struct err *err)
{
	const struct options *options = session->options;
	const struct store_options store = {options->cache, options->cache_size,
	    FETCHES_MAX};
	struct mount *mount = &session->mount;
	int r = store_open(&store, &session->store, err);

	if (r < 0)
		return r;
	session->shared = images_shared_new(session->store, err);
	mount->store = session->store;
	mount->images_shared = session->shared;
	return session->shared ? 0 : -err->code;
}

/* The one source of the mount is asked now, so that what is wrong with it is
 * said before the mount is there. */
static int open_only(struct session *session, struct err *err)
{
	struct mount *mount = &session->mount;
	struct source *source;
	int r = mount_sources_open_only(session->sources,
	    session->options->sources[0], &session->only, err);

	if (r < 0)
		return r;
	source = images_source(session->only->images);
	if (!source_can(source, SOURCE_PUSHES) && !mount->read_only) {
		log_info("%s cannot be written: the mount is read-only",
		    source_name(source));
		mount->read_only = true;
	}
	return 0;
}

/* Where no source is named, all hosts may be. */
static int open_hosts(struct session *session, struct err *err)
{
	int r = mount_sources_start_network(session->sources, err);

	if (r < 0)
		return r;
	session->hosts = hosts_new(session->sources, err);
	session->mount.hosts = session->hosts;
	return session->hosts ? 0 : -err->code;
}

static int open_sources(struct session *session, struct err *err)
{
	const struct options *options = session->options;
	int r = 0;

	session->mount.read_only = options->read_only || options->offline;
	if (options->source_count == 1)
		return open_only(session, err);
	for (size_t i = 0; i < options->source_count && r == 0; i++)
		r = mount_sources_add(session->sources, options->sources[i],
		    err);
	if (r == 0 && options->source_count == 0)
		r = open_hosts(session, err);
	return r;
}

/* The image has to be there now, whatever becomes of its tag. */
static int make_image_root(struct session *session, struct err *err)
{
	struct mount_source *only = session->only;
	CLEANUP(image_put_p) struct image *image = NULL;
	bool is_digest = strchr(only->image, ':') != NULL;
	int r =
	    image_open_tag(only->images, only->base, only->image, &image, err);

	if (r < 0)
		return err_wrap(err, "%s", session->options->sources[0]);
	return image_node_root(only, only->base, is_digest ? NULL : only->image,
	    &image->digest, &session->root, err);
}

static int make_root(struct session *session, struct err *err)
{
	struct mount_source *only = session->only;

	if (!only)
		return hosts_node_root(mount_sources_top(session->sources),
		    &session->root, err);
	if (only->image)
		return make_image_root(session, err);
	return repo_node_root(only, only->base, &session->root, err);
}

static int make_mount(struct session *session, struct err *err)
{
	struct mount *mount = &session->mount;

	mount->http = mount_sources_http(session->sources);
	mount->views = views;
	mount->write_kinds = write_kinds;
	mount->uid = getuid();
	mount->gid = getgid();
	clock_gettime(CLOCK_REALTIME, &mount->started);
	clock_gettime(CLOCK_MONOTONIC, &mount->started_clock);
	mount->mountpoint = session->options->mountpoint;
	mount->cache_size = session->options->cache_size;
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
	return 0;
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
	AUTO_FREE char *name = escape_commas(
	    options->source_count ? options->sources[0] : "registryfs");
	AUTO_FREE char *mount_options =
	    strf("fsname=%s,subtype=registryfs%s%s%s%s%s", name ? name : "",
		session->mount.read_only ? ",ro" : "",
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

/* Before the mount is there, so that what is wrong is said in time. */
static int start_watching(struct session *session, struct err *err)
{
	const struct options *options = session->options;
	const struct watching_options watching = {.watch = {.seconds =
								options->watch,
						      .glob =
							  options->watch_glob,
						      .drop = channel_drop_name,
						      .arg = session->channel},
	    .webhook = options->webhook,
	    .hook = options->hook};

	if (!options->watch && !options->webhook && !options->hook)
		return 0;
	return watching_start(&session->mount, &watching, &session->watching,
	    err);
}

static bool end(void *arg)
{
	struct session *session = arg;

	/* Both stop, whatever the other does. */
	bool fed = feed_stop(session->mount.feed);

	if (!watching_stop_dropping(session->watching) || !fed)
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
	mount_sources_cut(((struct session *)arg)->sources);
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
	mount_sources_complete(session->sources);
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
	r = make_sources(&session, err);
	if (r == 0)
		r = open_store(&session, err);
	if (r == 0)
		r = open_sources(&session, err);
	if (r == 0)
		r = make_mount(&session, err);
	if (r == 0)
		r = make_root(&session, err);
	if (r == 0)
		r = open_channel(&session, err);
	if (r == 0)
		r = start_watching(&session, err);
	if (r == 0)
		r = channel_mount(session.channel, err);
	if (r == 0)
		r = serve(&session, err);
	return r;
}
