/* SPDX-License-Identifier: Apache-2.0 */
/* What a builder has so far: entries and the heap. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "builder_state.h"
#include "index/format.h"

enum {
	MODE_IMPLIED = 0755, /* as all engines make them */
	/* Offsets are of 32 bits; a layer of a million files has 50 MB. */
	HEAP_MAX = 1 << 30,
};

int builder_new(const char *dir, struct builder **out, struct err *err)
{
	CLEANUP(builder_free_p)
	struct builder *builder = calloc(1, sizeof(*builder));
	const struct layer_entry root = builder_implied(0);
	size_t ignored;
	int r;

	if (!builder)
		return err_nomem(err);
	pile_init(&builder->entries, dir,
	    LAYER_ENTRIES_MAX * sizeof(struct layer_entry));
	pile_init(&builder->heap, dir, HEAP_MAX);
	pile_init(&builder->spans, dir, SIZE_MAX / 2);
	pile_init(&builder->extents, dir, SIZE_MAX / 2);
	builder->last_parent = BUF_INIT(SIZE_MAX / 2);
	/* Offset 0 is an empty text, which is the root's name. */
	r = pile_add(&builder->heap, "", 1, &ignored, err);
	if (r == 0)
		r = pile_add(&builder->entries, &root, sizeof(root), &ignored,
		    err);
	if (r == 0)
		*out = steal(&builder);
	return r;
}

void builder_free(struct builder *builder)
{
	if (!builder)
		return;
	builder_forget_children(builder);
	pile_release(&builder->entries);
	pile_release(&builder->heap);
	pile_release(&builder->spans);
	pile_release(&builder->extents);
	buf_release(&builder->last_parent);
	free(builder->list);
	free(builder);
}

struct layer_entry builder_implied(int64_t mtime)
{
	return (struct layer_entry){.mode = S_IFDIR | MODE_IMPLIED,
	    .mtime = mtime,
	    .flags = LAYER_IMPLIED};
}

int builder_keep(struct builder *builder, const void *data, size_t size,
    uint32_t *out, struct err *err)
{
	static const char no_check[BLOCK_CHECK_BYTES];
	struct pile *heap = &builder->heap;
	uint32_t len = (uint32_t)size;
	size_t at, ignored;
	int r;

	if (size > BLOCK_MAX)
		return err_set(err, EFBIG, "too large a part of an entry");
	r = pile_add(heap, &len, sizeof(len), &at, err);
	if (r == 0)
		r = pile_add(heap, data, size, &ignored, err);
	if (r == 0)
		r = pile_add(heap, no_check, sizeof(no_check), &ignored, err);
	*out = (uint32_t)at;
	return r;
}

const char *builder_target(struct builder *builder, uint32_t entry)
{
	uint32_t target = builder_entry(builder, entry)->target;

	return builder_text(builder, target + BLOCK_SIZE_BYTES);
}

/* Of a name that is there twice the heap has one. */
static int keep_name(struct builder *builder, uint32_t before, const char *name,
    uint32_t *out, struct err *err)
{
	size_t at;
	int r;

	if (before != LAYER_ROOT) {
		*out = builder_entry(builder, before)->name;
		return 0;
	}
	r = pile_add(&builder->heap, name, strlen(name) + 1, &at, err);
	*out = (uint32_t)at;
	return r;
}

/* Nothing but its name leads to it: another entry can have its place. So what
 * is there a million times takes no more than once. */
static bool is_replaceable(struct builder *builder, uint32_t number)
{
	const struct layer_entry *entry = builder_entry(builder, number);

	return !S_ISDIR(entry->mode) && entry->link == number &&
	       !(entry->flags & ENTRY_LINKED);
}

static bool is_implied(struct builder *builder, uint32_t number)
{
	return builder_entry(builder, number)->flags & LAYER_IMPLIED;
}

static int append(struct builder *builder, const struct layer_entry *entry,
    struct err *err)
{
	size_t ignored;

	if (builder_count(builder) == LAYER_ENTRIES_MAX)
		return err_set(err, EFBIG, "a layer of more than %d entries",
		    LAYER_ENTRIES_MAX);
	return pile_add(&builder->entries, entry, sizeof(*entry), &ignored,
	    err);
}

int builder_append(struct builder *builder, uint32_t dir, const char *name,
    const struct layer_entry *entry, uint32_t *out, struct err *err)
{
	uint32_t before = builder_child(builder, dir, name);
	bool again = before != LAYER_ROOT && is_replaceable(builder, before);
	struct layer_entry added = *entry;
	int r;

	*out = again ? before : builder_count(builder);
	added.parent = dir;
	added.link = *out;
	r = keep_name(builder, before, name, &added.name, err);
	if (r < 0)
		return r;
	if (before != LAYER_ROOT) {
		buf_reset(&builder->last_parent);
		builder->engines_refuse |= !is_implied(builder, before);
	}
	if (again) {
		*builder_entry(builder, *out) = added;
		return 0;
	}
	r = append(builder, &added, err);
	if (r < 0)
		return r;
	if (before != LAYER_ROOT)
		builder_entry(builder, before)->flags |= ENTRY_REPLACED;
	return builder_set_child(builder, *out, err);
}
