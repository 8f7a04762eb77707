/* SPDX-License-Identifier: Apache-2.0 */
/* One thread, which waits for a round or for what it is told. */
#include "watch.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/strf.h"
#include "node/key.h"
#include "queue.h"
#include "worker.h"

enum {
	LISTS_MAX = WATCH_REQUESTS / 2, /* in a round */
	PAUSE_MAX = 15,                 /* rounds that are left out */
	HINT_PAUSE = 100,               /* ms */
	AGAIN_AFTER = 2,                /* seconds, of which one may be short */
};

/* Of a source. */
struct watched_source {
	const struct mount_source *source;
	size_t next_list, next_tag; /* where its turn is */
	unsigned pause, left_out;   /* rounds */
	struct watched_source *next;
};

struct watch {
	struct mount *mount;
	struct watch_options options;
	struct worker worker;
	struct watched_source *watched; /* of the thread alone */
	struct monitor monitor;
	/* In the monitor. */
	struct queue hints, drops;
	/* Hints to look at once more: docker-registry says that it has a tag
	 * some milliseconds before it has. */
	struct queue again;
	bool dropping, stopped;
};

DEFINE_CLEANUP(struct watch *, watch_free);

/* The number of a repository's directory; 0 out of memory. */
static uint64_t directory_of(const struct mount_source *source,
    const char *repository)
{
	char *key;

	if (!*source->name && strcmp(repository, source->base) == 0)
		return NODE_ROOT;
	key = key_of_repository(source, repository);
	return key ? key_number(NODE_REPO, key) : 0;
}

static void drop_name(struct watch *watch, const struct mount_source *source,
    const struct named *place)
{
	const char *const forms[] = {"%s", ":%s", "%s.tar"};
	uint64_t dir = directory_of(source, place->repository);

	for (size_t i = 0; dir && i < sizeof(forms) / sizeof(*forms); i++) {
		AUTO_FREE char *name = strf(forms[i], place->tag);

		if (name)
			watch->options.drop(watch->options.arg, dir, name);
	}
}

/* NULL: nothing, or nothing any more. */
static struct named *next_drop(struct watch *watch)
{
	struct named *place = NULL;

	monitor_enter(&watch->monitor);
	if (!watch->stopped)
		place = queue_take(&watch->drops);
	watch->dropping = place != NULL;
	monitor_leave(&watch->monitor);
	return place;
}

static void drop_names(struct watch *watch)
{
	struct named *place;

	while ((place = next_drop(watch))) {
		const struct mount_source *source =
		    mount_source_first(watch->mount);

		for (; source; source = source->next)
			if (strcmp(source_name(images_source(source->images)),
				place->registry) == 0)
				drop_name(watch, source, place);
		named_free(place);
	}
}

bool watch_stop_dropping(struct watch *watch)
{
	bool idle;

	if (!watch)
		return true;
	monitor_enter(&watch->monitor);
	watch->stopped = true;
	idle = !watch->dropping;
	monitor_leave(&watch->monitor);
	return idle;
}

static struct watched_source *watched_of(struct watch *watch,
    const struct mount_source *source)
{
	struct watched_source *watched = watch->watched;

	while (watched && watched->source != source)
		watched = watched->next;
	if (watched)
		return watched;
	watched = calloc(1, sizeof(*watched));
	if (!watched)
		return NULL;
	watched->source = source;
	watched->next = watch->watched;
	watch->watched = watched;
	return watched;
}

/* Whether the failure is about what was asked for, and not about who was. */
static bool is_answer(int r)
{
	return r >= 0 || r == -ENOENT || r == -EACCES || r == -ENOMEM;
}

/* The repositories of a source that are watched; *tags: those of which each tag
 * was looked at, or NULL: all. */
static int find_repositories(struct watch *watch,
    const struct mount_source *source, struct names **repositories,
    struct names **tags, struct err *err)
{
	CLEANUP(names_builder_free_p) struct names_builder *builder = NULL;
	CLEANUP(names_put_p) struct names *catalog = NULL;
	int r;

	*tags = NULL;
	if (!watch->options.glob)
		return images_used(source->images, repositories, tags, err);
	r = images_catalog(source->images, &catalog, err);
	if (r < 0)
		return r;
	builder = names_builder_new(err);
	if (!builder)
		return -err->code;
	for (size_t i = 0; r >= 0 && i < names_count(catalog); i++) {
		const char *name = names_at(catalog, i);
		AUTO_FREE char *path = source_path(source, name);

		if (path && fnmatch(watch->options.glob, path, 0) == 0)
			r = names_builder_add(builder, name, err);
	}
	return r < 0 ? r
		     : names_builder_take(steal(&builder), repositories, err);
}

/* The tags of repositories as their lists are now, "REPOSITORY:TAG". */
static int add_tags(struct images *images, const char *repository,
    struct names_builder *out, struct err *err)
{
	CLEANUP(names_put_p)
	struct names *tags = images_tags_cached(images, repository);
	int r = 0;

	for (size_t i = 0; r == 0 && tags && i < names_count(tags); i++) {
		AUTO_FREE char *key =
		    strf("%s:%s", repository, names_at(tags, i));

		r = key ? names_builder_add(out, key, err) : err_nomem(err);
	}
	return r;
}

static int look_at_lists(struct watch *watch, struct watched_source *watched,
    const struct names *repositories, unsigned *requests,
    struct names_builder *tags, struct err *err)
{
	struct images *images = watched->source->images;
	size_t count = names_count(repositories), end = count;
	int r = 0;

	if (end > LISTS_MAX)
		end = LISTS_MAX;
	for (size_t i = 0; i<end && * requests> 0; i++) {
		const char *name =
		    names_at(repositories, watched->next_list++ % count);

		r = images_look_tags(images, name, requests, err);
		drop_names(watch);
		if (!is_answer(r))
			return r;
		r = add_tags(images, name, tags, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int look_at_tags(struct watch *watch, struct watched_source *watched,
    const struct names *tags, unsigned requests, struct err *err)
{
	size_t count = names_count(tags), end = count;

	if (end > requests)
		end = requests;
	for (size_t i = 0; i < end; i++) {
		AUTO_FREE char *name =
		    strdup(names_at(tags, watched->next_tag++ % count));
		char *tag = name ? strchr(name, ':') : NULL;
		int r;

		if (!tag)
			continue;
		*tag++ = '\0';
		r = images_look_tag(watched->source->images, name, tag, false,
		    err);
		drop_names(watch);
		if (!is_answer(r))
			return r;
	}
	return 0;
}

static int look_at_source(struct watch *watch, struct watched_source *watched,
    struct err *err)
{
	CLEANUP(names_put_p) struct names *repositories = NULL, *used = NULL;
	CLEANUP(names_put_p) struct names *listed = NULL;
	CLEANUP(names_builder_free_p)
	struct names_builder *tags = names_builder_new(err);
	unsigned requests = WATCH_REQUESTS;
	int r;

	if (!tags)
		return -err->code;
	r = find_repositories(watch, watched->source, &repositories, &used,
	    err);
	if (r < 0)
		return r;
	r = look_at_lists(watch, watched, repositories, &requests, tags, err);
	if (r == 0)
		r = names_builder_take(steal(&tags), &listed, err);
	return r < 0 ? r
		     : look_at_tags(watch, watched, used ? used : listed,
			   requests, err);
}

static void round_of(struct watch *watch, const struct mount_source *source)
{
	struct watched_source *watched = watched_of(watch, source);
	struct err err = ERR_INIT;
	int r;

	if (!watched || source_can(images_source(source->images), SOURCE_LOCAL))
		return;
	if (watched->left_out > 0) {
		watched->left_out--;
		return;
	}
	r = look_at_source(watch, watched, &err);
	if (r == -EINTR)
		return;
	/* Lists of one that is away are as they were. */
	if (is_answer(r) && !images_away(source->images)) {
		watched->pause = 0;
		return;
	}
	watched->pause = 2 * watched->pause + 1;
	if (watched->pause > PAUSE_MAX)
		watched->pause = PAUSE_MAX;
	watched->left_out = watched->pause;
	if (watched->pause == 1)
		log_info("watch: %s is looked at less often until it answers",
		    source_name(images_source(source->images)));
}

static void round_of_all(struct watch *watch)
{
	const struct mount_source *source = mount_source_first(watch->mount);

	for (; source && !task_interrupted(); source = source->next)
		round_of(watch, source);
}

/* Whether a repository is one that the source may be asked about unasked: where
 * there are several, that it has. */
static bool may_have(const struct watch *watch,
    const struct mount_source *source, const char *repository)
{
	CLEANUP(names_put_p) struct names *catalog = NULL;

	if (source_can(images_source(source->images), SOURCE_LOCAL))
		return false;
	if (mount_source_first(watch->mount) == source && !source->next)
		return true;
	catalog = images_catalog_cached(source->images);
	return catalog && names_has(catalog, repository);
}

static void look_at_hint(struct watch *watch, const struct named *hint)
{
	const struct mount_source *source = mount_source_first(watch->mount);
	unsigned requests = WATCH_REQUESTS;

	for (; source; source = source->next) {
		if (!may_have(watch, source, hint->repository))
			continue;
		if (hint->tag)
			images_look_tag(source->images, hint->repository,
			    hint->tag, true, ERR_IGNORE);
		images_look_tags(source->images, hint->repository, &requests,
		    ERR_IGNORE);
		drop_names(watch);
	}
}

/* Until then, or an interrupt; inside the monitor, which others notify. */
static void wait_ms(struct watch *watch, int64_t ms)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += ms % 1000 * 1000000;
	end.tv_sec += ms / 1000 + end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	while (monitor_wait_until(&watch->monitor, &end) == 0 &&
	       !watch->hints.first && !watch->drops.first)
		;
}

/* A hint, or NULL where something else is due. */
static struct named *next_hint(struct watch *watch, int64_t due)
{
	const struct named *again;
	struct named *hint;
	int64_t left;

	monitor_enter(&watch->monitor);
	again = watch->again.first;
	if (again && again->since + AGAIN_AFTER < due)
		due = again->since + AGAIN_AFTER;
	left = due - clock_seconds();
	if (!watch->hints.first && !watch->drops.first && left > 0)
		wait_ms(watch, left * 1000);
	hint = queue_take(&watch->hints);
	if (hint)
		queue_add(&watch->again, NULL, hint->repository, hint->tag);
	else if (again && clock_seconds() >= again->since + AGAIN_AFTER)
		hint = queue_take(&watch->again);
	monitor_leave(&watch->monitor);
	return hint;
}

static void pause_after_hint(struct watch *watch)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += HINT_PAUSE * 1000000;
	end.tv_sec += end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	monitor_enter(&watch->monitor);
	while (monitor_wait_until(&watch->monitor, &end) == 0)
		;
	monitor_leave(&watch->monitor);
}

static void work(void *arg)
{
	struct watch *watch = arg;
	const unsigned seconds = watch->options.seconds;
	const int64_t often = seconds ? seconds : 3600;
	int64_t due = clock_seconds() + often;

	while (!task_interrupted()) {
		CLEANUP(named_free_p)
		struct named *hint = next_hint(watch, due);

		drop_names(watch);
		if (hint) {
			look_at_hint(watch, hint);
			pause_after_hint(watch);
		}
		if (clock_seconds() < due)
			continue;
		if (seconds)
			round_of_all(watch);
		due = clock_seconds() + often;
	}
}

struct watch *watch_new(struct mount *mount,
    const struct watch_options *options, struct err *err)
{
	CLEANUP(watch_free_p) struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch) {
		err_nomem(err);
		return NULL;
	}
	monitor_init(&watch->monitor);
	watch->mount = mount;
	watch->options = *options;
	watch->hints.last = &watch->hints.first;
	watch->drops.last = &watch->drops.first;
	watch->again.last = &watch->again.first;
	if (worker_start(&watch->worker, work, watch, err) < 0)
		return NULL;
	return steal(&watch);
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	worker_stop(&watch->worker);
	queue_release(&watch->hints);
	queue_release(&watch->drops);
	queue_release(&watch->again);
	while (watch->watched) {
		struct watched_source *watched = watch->watched;

		watch->watched = watched->next;
		free(watched);
	}
	monitor_release(&watch->monitor);
	free(watch);
}

void watch_hint(struct watch *watch, const char *repository, const char *tag)
{
	monitor_enter(&watch->monitor);
	queue_add(&watch->hints, NULL, repository, tag);
	monitor_notify(&watch->monitor);
	monitor_leave(&watch->monitor);
}

void watch_note(struct watch *watch, const struct image_event *event)
{
	if (!event->tag || !event->by || strcmp(event->by, "another client"))
		return;
	SCOPED_LOCK(&watch->monitor.mutex);
	queue_add(&watch->drops, event->registry, event->repository,
	    event->tag);
	monitor_notify(&watch->monitor);
}
