/* SPDX-License-Identifier: Apache-2.0 */
/* The images of a source, as images.c and tags.c share them. */
#ifndef IMAGE_IMAGES_STATE_H
#define IMAGE_IMAGES_STATE_H

#include "away.h"
#include "base/pool.h"
#include "base/task.h"
#include "base/turn.h"
#include "image/images.h"
#include "listing.h"
#include "progress.h"
#include "referrers_state.h"
#include "seen/tag_times.h"

struct images_shared {
	struct store *store;
	struct layer_table *layers;
	struct journal *journal;
	struct pushes *pushes;
};

/* In struct images, under its monitor (remembered.c). */
struct remembered {
	struct map names;     /* of repositories */
	struct map forgotten; /* which a note may have still */
	bool was_read;        /* the note of mounts before */
	bool is_news;         /* the note has to be written */
};

struct images {
	struct source *source;
	struct images_shared *shared;
	struct turns *turns;
	struct referrers_state *referrers;
	struct pool *ahead; /* what will be read is fetched */
	struct completer *completer;
	struct images_options options;
	struct monitor monitor;
	struct listing catalog; /* under monitor, as all that follows */
	bool listed;            /* the registry has listed its names */
	bool unlisted;          /* not all of them, the last time */
	bool asked_through;     /* whether pulls_through is known */
	bool pulls_through;     /* it has more than it lists */
	struct map found;       /* repositories that answered to their name */
	struct map gone;        /* those that lost their last tag here */
	struct remembered remembered;
	struct map below;       /* namespace → struct listing */
	struct map tags;        /* repository → struct listing */
	struct map resolved;    /* "repository:tag" → struct resolution */
	struct map recalled;    /* repositories; "": their list (recall.c) */
	struct tag_times times; /* when tags changed */
	/* How often a tag was changed here: an answer that was asked for before
	 * that and comes in after it may be older, and is not kept. */
	unsigned changes;
	struct away away;
};

/* Waits while another thread loads. 0: the caller has the turn at loading, and
 * ends it with listing_end(); 1: it is fresh, or as good as that (away.h);
 * -EINTR; the failure of the one that it waited for. Inside the monitor, as
 * what follows it. */
int listing_begin(struct images *images, struct listing *listing,
    struct err *err);
void listing_end(struct images *images, struct listing *listing, int r,
    const struct err *err);

/* images_catalog(), images_tags(), images_resolve() and images_tag_changed(),
 * as far as this mount has seen anything (recall.c). Outside of it. */
int catalog_get(struct images *images, struct names **out, struct err *err);
int tags_get(struct images *images, const char *repository, struct names **out,
    struct err *err);
int tag_resolve(struct images *images, const char *repository, const char *tag,
    struct digest *out, struct err *err);
void tag_changed(struct images *images, const char *repository, const char *tag,
    const struct digest *digest);

/* Makes the catalog's list of `listed`, which it takes (may be NULL), of what
 * namespaces listed and of all found names. Inside the monitor. */
int catalog_merge(struct images *images, struct names_builder *listed,
    struct err *err);

/* Remembers that the repository is there. Inside the monitor. */
void catalog_found(struct images *images, const char *repository);

/* Of a source that does not list: what is remembered is listed. read: from
 * mounts before, once. save: writes the note if there is news. Outside the
 * monitor. */
void remembered_read(struct images *images);
void remembered_save(struct images *images);
/* A repository has answered to its name; or it is not there. Inside the
 * monitor. */
void remembered_add(struct images *images, const char *repository);
void remembered_forget(struct images *images, const char *repository);

/* Reads the tags of a repository, or for NULL all repositories. A list that
 * breaks off in the middle is read once more. */
int names_read(struct images *images, const char *repository,
    struct names_builder **out, struct err *err);

#endif
