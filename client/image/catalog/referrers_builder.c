/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of descriptors that outlive the documents from which they come. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/container.h"
#include "referrers_state.h"

struct referrers_builder {
	struct referrers list; /* first: the list is given out by its address */
	atomic_uint refs;
	struct arena arena;
	struct descriptor *entries; /* list.entries */
	size_t room;
	struct map seen; /* digests, while it is made */
};

static struct referrers_builder *whole(struct referrers *referrers)
{
	return container_of(referrers, struct referrers_builder, list);
}

struct referrers_builder *referrers_builder_new(struct err *err)
{
	struct referrers_builder *builder = calloc(1, sizeof(*builder));

	if (builder)
		atomic_init(&builder->refs, 1);
	else
		err_nomem(err);
	return builder;
}

void referrers_builder_free(struct referrers_builder *builder)
{
	arena_release(&builder->arena);
	map_release(&builder->seen);
	free(builder->entries);
	free(builder);
}

/* False when out of memory. */
static bool copy_text(struct arena *arena, const char *text, const char **out)
{
	*out = text ? arena_strdup(arena, text) : NULL;
	return !text || *out;
}

static int copy(struct arena *arena, const struct descriptor *from,
    struct descriptor *out, struct err *err)
{
	struct annotation *annotations = arena_array(arena,
	    from->annotation_count + 1, sizeof(*annotations));
	bool done = annotations != NULL;

	*out = *from;
	out->annotations = annotations;
	done = done && copy_text(arena, from->media_type, &out->media_type) &&
	       copy_text(arena, from->artifact_type, &out->artifact_type);
	for (size_t i = 0; done && i < from->annotation_count; i++)
		done = copy_text(arena, from->annotations[i].name,
			   &annotations[i].name) &&
		       copy_text(arena, from->annotations[i].value,
			   &annotations[i].value);
	return done ? 0 : err_nomem(err);
}

static int make_room(struct referrers_builder *builder, struct err *err)
{
	size_t room = builder->room ? 2 * builder->room : 8;
	struct descriptor *entries;

	if (builder->list.count < builder->room)
		return 0;
	if (builder->list.count >= MANIFEST_MAX_ENTRIES)
		return err_set(err, EFBIG, "more than %d referrers",
		    MANIFEST_MAX_ENTRIES);
	entries = reallocarray(builder->entries, room, sizeof(*entries));
	if (!entries)
		return err_nomem(err);
	builder->list.entries = builder->entries = entries;
	builder->room = room;
	return 0;
}

int referrers_builder_add(void *arg, const struct descriptor *referrer,
    struct err *err)
{
	struct referrers_builder *builder = arg;
	char text[DIGEST_TEXT_SIZE];
	int r;

	digest_format(&referrer->digest, text);
	if (map_get(&builder->seen, text))
		return 0;
	r = make_room(builder, err);
	if (r == 0 && map_put(&builder->seen, text, builder) < 0)
		r = err_nomem(err);
	if (r == 0)
		r = copy(&builder->arena, referrer,
		    &builder->entries[builder->list.count], err);
	builder->list.count += r == 0;
	return r;
}

struct referrers *referrers_builder_take(struct referrers_builder *builder)
{
	map_release(&builder->seen);
	return &builder->list;
}

struct referrers *referrers_get(struct referrers *referrers)
{
	atomic_fetch_add(&whole(referrers)->refs, 1);
	return referrers;
}

void referrers_put(struct referrers *referrers)
{
	if (referrers && atomic_fetch_sub(&whole(referrers)->refs, 1) == 1)
		referrers_builder_free(whole(referrers));
}
