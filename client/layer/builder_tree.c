/* SPDX-License-Identifier: Apache-2.0 */
/* What a builder has so far: entries, who is in which directory, the heap. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "builder_state.h"
#include "format.h"

enum {
	FIRST_CAPACITY = 64,
	MODE_IMPLIED = 0755, /* as all engines make them */
	/* Offsets are of 32 bits; a layer of a million files has 50 MB. */
	HEAP_MAX = 1 << 30,
	KEY_SIZE = 8 + 1 + PATH_NAME_MAX + 1,
};

int builder_new(struct builder **out, struct err *err)
{
	CLEANUP(builder_free_p)
	struct builder *builder = calloc(1, sizeof(*builder));
	int r;

	if (!builder)
		return err_nomem(err);
	builder->heap = BUF_INIT(HEAP_MAX);
	builder->last_parent = BUF_INIT(SIZE_MAX / 2);
	builder->spans = BUF_INIT(SIZE_MAX / 2);
	builder->extents = BUF_INIT(SIZE_MAX / 2);
	builder->entries = calloc(FIRST_CAPACITY, sizeof(*builder->entries));
	if (!builder->entries)
		return err_nomem(err);
	builder->cap = FIRST_CAPACITY;
	r = buf_add(&builder->heap, "", 1, err);
	if (r < 0)
		return r;
	builder->entries[LAYER_ROOT] = builder_implied(0);
	builder->count = 1;
	*out = steal(&builder);
	return 0;
}

void builder_free(struct builder *builder)
{
	if (!builder)
		return;
	free(builder->entries);
	map_release(&builder->names);
	buf_release(&builder->heap);
	buf_release(&builder->last_parent);
	buf_release(&builder->spans);
	buf_release(&builder->extents);
	free(builder);
}

struct layer_entry builder_implied(int64_t mtime)
{
	return (struct layer_entry){.mode = S_IFDIR | MODE_IMPLIED,
	    .mtime = mtime,
	    .flags = LAYER_IMPLIED};
}

/* printf() would take longer than all the rest of an entry. */
static void make_key(char key[KEY_SIZE], uint32_t dir, const char *name)
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;

	do
		key[at++] = digits[dir & 15];
	while (dir >>= 4);
	key[at++] = '/';
	strncpy(key + at, name, KEY_SIZE - at - 1);
	key[KEY_SIZE - 1] = '\0';
}

uint32_t builder_child(const struct builder *builder, uint32_t dir,
    const char *name)
{
	char key[KEY_SIZE];
	uintptr_t found;

	make_key(key, dir, name);
	found = (uintptr_t)map_get(&builder->names, key);
	return found ? (uint32_t)(found - 1) : LAYER_ROOT;
}

int builder_keep(struct builder *builder, const void *data, size_t size,
    uint32_t *out, struct err *err)
{
	static const char no_check[BLOCK_CHECK_BYTES];
	struct buf *heap = &builder->heap;
	uint32_t len = (uint32_t)size;
	int r;

	if (size > BLOCK_MAX)
		return err_set(err, EFBIG, "too large a part of an entry");
	*out = (uint32_t)heap->len;
	r = buf_add(heap, &len, sizeof(len), err);
	if (r == 0)
		r = buf_add(heap, data, size, err);
	return r < 0 ? r : buf_add(heap, no_check, sizeof(no_check), err);
}

const char *builder_target(const struct builder *builder, uint32_t entry)
{
	return buf_str(&builder->heap) + builder->entries[entry].target +
	       BLOCK_SIZE_BYTES;
}

static int keep_name(struct builder *builder, const char *name, uint32_t *out,
    struct err *err)
{
	*out = (uint32_t)builder->heap.len;
	return buf_add(&builder->heap, name, strlen(name) + 1, err);
}

static int grow(struct builder *builder, struct err *err)
{
	uint32_t cap = builder->cap * 2;
	struct layer_entry *entries;

	if (builder->count < builder->cap)
		return 0;
	if (builder->count == LAYER_ENTRIES_MAX)
		return err_set(err, EFBIG, "a layer of more than %d entries",
		    LAYER_ENTRIES_MAX);
	entries = reallocarray(builder->entries, cap, sizeof(*entries));
	if (!entries)
		return err_nomem(err);
	builder->entries = entries;
	builder->cap = cap;
	return 0;
}

int builder_append(struct builder *builder, uint32_t dir, const char *name,
    const struct layer_entry *entry, uint32_t *out, struct err *err)
{
	uint32_t before = builder_child(builder, dir, name);
	uint32_t number = builder->count;
	struct layer_entry *added;
	char key[KEY_SIZE];
	int r = grow(builder, err);

	if (r < 0)
		return r;
	added = &builder->entries[number];
	*added = *entry;
	added->parent = dir;
	added->link = number;
	r = keep_name(builder, name, &added->name, err);
	if (r < 0)
		return r;
	make_key(key, dir, name);
	if (map_put(&builder->names, key, (void *)((uintptr_t)number + 1)) < 0)
		return err_nomem(err);
	if (before != LAYER_ROOT) {
		builder->entries[before].flags |= ENTRY_REPLACED;
		buf_reset(&builder->last_parent);
	}
	builder->count++;
	*out = number;
	return 0;
}
