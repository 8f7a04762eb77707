/* SPDX-License-Identifier: Apache-2.0 */
/* The list of the pushes under way, and their begin and end in the journal. */
#include "progress.h"

#include <stdio.h>

#include "base/lock.h"
#include "image/images.h"

struct pushes {
	struct journal *journal;
	pthread_mutex_t lock;
	/* Under lock. */
	struct push_progress *first, **last;
	struct push_counts counts;
};

struct pushes *pushes_new(struct journal *journal, struct err *err)
{
	struct pushes *pushes = calloc(1, sizeof(*pushes));

	if (!pushes) {
		err_nomem(err);
		return NULL;
	}
	pushes->journal = journal;
	pushes->last = &pushes->first;
	pthread_mutex_init(&pushes->lock, NULL);
	return pushes;
}

void pushes_free(struct pushes *pushes)
{
	if (!pushes)
		return;
	pthread_mutex_destroy(&pushes->lock);
	free(pushes);
}

static void insert(struct pushes *pushes, struct push_progress *progress)
{
	SCOPED_LOCK(&pushes->lock);

	progress->link = pushes->last;
	*pushes->last = progress;
	pushes->last = &progress->next;
}

static void take_out(struct pushes *pushes, struct push_progress *progress,
    bool done)
{
	SCOPED_LOCK(&pushes->lock);

	*progress->link = progress->next;
	if (progress->next)
		progress->next->link = progress->link;
	else
		pushes->last = progress->link;
	pushes->counts.done += done;
	pushes->counts.failed += !done;
}

void progress_begin(struct push_progress *progress, struct images *images,
    const char *repository, const char *tag)
{
	struct pushes *pushes = images_pushes(images);
	const char *registry = source_name(images_source(images));
	const struct image_event event = {.name = "push-begun",
	    .registry = registry,
	    .repository = repository,
	    .tag = tag};

	*progress = (struct push_progress){.pushes = pushes,
	    .registry = registry,
	    .repository = repository,
	    .tag = tag};
	clock_gettime(CLOCK_REALTIME, &progress->began);
	clock_gettime(CLOCK_MONOTONIC, &progress->began_clock);
	journal_add(pushes->journal, &event);
	insert(pushes, progress);
	journal_flush(pushes->journal);
}

static double seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) +
	       (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

void progress_end(struct push_progress *progress, const struct digest *digest,
    const struct err *err)
{
	struct pushes *pushes = steal(&progress->pushes);
	const struct push_sum sum = {.received =
					 atomic_load(&progress->received),
	    .sent = atomic_load(&progress->sent),
	    .seconds = seconds_since(&progress->began_clock)};
	const struct image_event event = {.name = digest ? "push-done"
							 : "push-failed",
	    .registry = progress->registry,
	    .repository = progress->repository,
	    .tag = progress->tag,
	    .digest = digest,
	    .push = &sum,
	    .error = digest ? NULL : err->msg};

	if (!pushes)
		return;
	take_out(pushes, progress, digest != NULL);
	journal_add(pushes->journal, &event);
	journal_flush(pushes->journal);
}

static void look(struct push_progress *progress, struct push_info *out)
{
	out->registry = progress->registry;
	snprintf(out->repository, sizeof(out->repository), "%s",
	    progress->repository);
	snprintf(out->tag, sizeof(out->tag), "%s", progress->tag);
	out->began = progress->began.tv_sec;
	out->complete = atomic_load(&progress->complete);
	out->received = atomic_load(&progress->received);
	out->sent = atomic_load(&progress->sent);
	out->layers_done = atomic_load(&progress->layers_done);
	out->layers = atomic_load(&progress->layers);
}

int pushes_list(struct pushes *pushes, struct push_info **out, size_t *count,
    struct err *err)
{
	SCOPED_LOCK(&pushes->lock);
	size_t n = 0;

	for (struct push_progress *p = pushes->first; p; p = p->next)
		n++;
	*count = n;
	*out = calloc(n + 1, sizeof(**out));
	if (!*out)
		return err_nomem(err);
	n = 0;
	for (struct push_progress *p = pushes->first; p; p = p->next)
		look(p, &(*out)[n++]);
	return 0;
}

struct push_counts pushes_count(struct pushes *pushes)
{
	SCOPED_LOCK(&pushes->lock);

	return pushes->counts;
}
