/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings of what is in an index.json, and of what is not any more. */
#include "notices.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/strf.h"

enum {
	SHOWN_NAMES = 4,    /* of those that are not listed */
	SENTENCE_MAX = 900, /* a line of the log has little more */
};

/* A name that was put here. */
struct put_name {
	char *dir;
	struct layout_name name;
	struct digest digest;
};

static void free_name(struct put_name *put)
{
	if (!put)
		return;
	free(put->dir);
	free(put);
}

DEFINE_CLEANUP(struct put_name *, free_name);

static char *key_of(const char *dir, const struct layout_name *name)
{
	return strf("%s:%s:%s", dir, name->repository, name->tag);
}

void notices_put(struct layout_source *layouts, const char *dir,
    const struct layout_name *name, const struct digest *digest)
{
	CLEANUP(free_name_p) struct put_name *put = calloc(1, sizeof(*put));
	AUTO_FREE char *key = key_of(dir, name);

	if (!put || !key || !(put->dir = strdup(dir)))
		return;
	put->name = *name;
	put->digest = *digest;
	notices_remove(layouts, dir, name);
	SCOPED_LOCK(&layouts->lock);
	if (map_put(&layouts->put, key, put) == 0)
		put = NULL;
}

void notices_remove(struct layout_source *layouts, const char *dir,
    const struct layout_name *name)
{
	AUTO_FREE char *key = key_of(dir, name);

	SCOPED_LOCK(&layouts->lock);
	if (key)
		free_name(map_del(&layouts->put, key));
}

/* What fits, given that the name is of the layout. */
typedef bool fits_fn(const struct put_name *put, const void *arg);

/* The first that fits: taken out, or NULL. Under lock. */
static struct put_name *take(struct layout_source *layouts, const char *dir,
    fits_fn *fits, const void *arg)
{
	map_foreach (&layouts->put, slot) {
		const struct put_name *put = slot->value;

		if (strcmp(put->dir, dir) == 0 && fits(put, arg))
			return map_del(&layouts->put, slot->key);
	}
	return NULL;
}

/* The repository and digest of names that go. */
struct name_removal {
	const char *repository;
	const struct digest *digest;
};

static bool is_removed(const struct put_name *put, const void *arg)
{
	const struct name_removal *removal = arg;

	return strcmp(put->name.repository, removal->repository) == 0 &&
	       digest_equal(&put->digest, removal->digest);
}

void notices_remove_digest(struct layout_source *layouts, const char *dir,
    const char *repository, const struct digest *digest)
{
	const struct name_removal removal = {repository, digest};
	struct put_name *put;

	SCOPED_LOCK(&layouts->lock);
	while ((put = take(layouts, dir, is_removed, &removal)))
		free_name(put);
}

static bool is_lacking(const struct put_name *put, const void *state)
{
	return !layout_state_find(state, &put->name);
}

/* A name that is lost: taken out, or NULL. What is known here was in the file
 * before it came here: so the file is looked at again under the lock, as it may
 * have been read before that. */
static struct put_name *take_lost(struct layout_source *layouts,
    const char *dir, const struct layout_state *state)
{
	SCOPED_LOCK(&layouts->lock);

	return layouts->put.count > 0 &&
		       layout_state_is_current(layouts, dir, state)
		   ? take(layouts, dir, is_lacking, state)
		   : NULL;
}

/* A repository's path below the mount, with a slash, or "". */
static char *path_of(const char *dir, const char *inner)
{
	return strf("%s%s%s%s", dir, *dir ? "/" : "", inner, *inner ? "/" : "");
}

static void say_lost(struct layout_source *layouts, const struct put_name *put)
{
	AUTO_FREE char *path = path_of(put->dir, put->name.repository);
	char digest[DIGEST_TEXT_SIZE];

	if (path)
		log_warn("%s%s is gone: another program wrote %s/%s%s"
			 "index.json without this tag, which was put here; if "
			 "that was not meant, `ln -s @%s %s%s` brings it back",
		    path, put->name.tag, layouts->path, put->dir,
		    *put->dir ? "/" : "", digest_format(&put->digest, digest),
		    path, put->name.tag);
}

/* Adds the names that cannot be shown, but not many: how many there are. */
static size_t add_unusable(const struct layout_state *state, const char *dir,
    struct buf *out)
{
	AUTO_FREE char *path = path_of(dir, "");
	size_t count = 0;

	for (size_t i = 0; path && i < state->index->entry_count; i++) {
		const struct descriptor *entry = &state->index->entries[i];
		const char *text = layout_unusable_name(entry);
		char digest[DIGEST_TEXT_SIZE];

		if (text && count++ < SHOWN_NAMES)
			buf_addf(out, ERR_IGNORE, "%s\"%.40s\" is %.80s@%s",
			    count > 1 ? ", " : "", text, path,
			    digest_format(&entry->digest, digest));
	}
	return count;
}

static void say_unusable(struct layout_source *layouts, const char *dir,
    const struct layout_state *state)
{
	AUTO_BUF struct buf names = BUF_INIT(SENTENCE_MAX);
	AUTO_FREE char *sentence = NULL;
	size_t count = add_unusable(state, dir, &names);

	if (count == 0)
		return;
	sentence = strf("%s/%s%sindex.json has names that can be no tags "
			"and are not listed: %s%s",
	    layouts->path, dir, *dir ? "/" : "", buf_str(&names),
	    count > SHOWN_NAMES ? ", and others" : "");
	if (sentence && layout_says_first(layouts, sentence))
		log_warn("%s", sentence);
}

int notices_state_get(struct layout_source *layouts, const char *dir,
    struct layout_state **out, struct err *err)
{
	struct put_name *put;
	struct layout_state *state;
	int r = layout_state_get(layouts, dir, out, err);

	if (r < 0)
		return r;
	state = *out;
	if (atomic_exchange(&state->noticed, true))
		return 0;
	while ((put = take_lost(layouts, dir, state))) {
		say_lost(layouts, put);
		free_name(put);
	}
	say_unusable(layouts, dir, state);
	return 0;
}

void notices_release(struct layout_source *layouts)
{
	map_foreach (&layouts->put, slot)
		free_name(slot->value);
	map_release(&layouts->put);
}
