/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of layouts, and what was read of each. */
#ifndef CLIENT_LAYOUT_STATE_H
#define CLIENT_LAYOUT_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/container.h"
#include "base/map.h"
#include "layout/layout.h"
#include "oci/layout_index.h"

#define LAYOUT_INDEX "index.json"
#define LAYOUT_MARKER "oci-layout"
#define LAYOUT_BLOBS "blobs"

/* What an index.json said: immutable, counted. */
struct layout_state {
	atomic_uint refs;
	struct buf text;
	struct manifest *index;
	struct layout_name *names; /* of its entries */
	struct stat st;            /* of the file that it was read from */
	atomic_bool noticed;       /* the log has what is to be said of it */
	bool settled;              /* no change could have hidden from st */
};

struct layout_source {
	struct source source;
	int root;         /* the directory */
	dev_t device;     /* its own */
	char *path;       /* its own, absolute */
	char *name;       /* "oci:" and that */
	unsigned timeout; /* seconds */
	char *own; /* the repository that the one layout is; "" of a tree */
	pthread_mutex_t lock;
	/* Under lock. */
	struct map states;   /* a layout's directory → struct layout_state */
	struct map subjects; /* a manifest's digest → its subject's text, "" */
	struct map put;      /* names that were put here: notices.c */
	struct map said;     /* sentences of the log that are said once */
};

/* The source is one of layout_open(). */
static inline struct layout_source *layout_of(struct source *source)
{
	return container_of(source, struct layout_source, source);
}

/* How many ms a call may still wait for other programs. What it has waited is
 * to be lost (base/budget.h). */
uint64_t layout_patience(const struct layout_source *layouts);

/*
 * What the layout in a directory ("": the top) says now; to be given back with
 * layout_state_put(). -ENOENT where there is no layout; -EIO with a sentence
 * where it cannot be read.
 */
int layout_state_get(struct layout_source *layouts, const char *dir,
    struct layout_state **out, struct err *err);
void layout_state_put(struct layout_state *state);

DEFINE_CLEANUP(struct layout_state *, layout_state_put);

/* Frees what is remembered. */
void layout_states_release(struct layout_source *layouts);

/* Whether index.json still is the file that it was read from. */
bool layout_state_is_current(const struct layout_source *layouts,
    const char *dir, const struct layout_state *state);

/* The entry that has the name, or NULL. */
const struct descriptor *layout_state_find(const struct layout_state *state,
    const struct layout_name *name);

/* Whether the log does not have the sentence yet: the caller puts it there. */
bool layout_says_first(struct layout_source *layouts, const char *sentence);

/* "DIR/NAME", or NAME at the top: a new string, NULL when out of memory. */
char *layout_join(const char *dir, const char *name);

#endif
