/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is in which directory, while an index is made. A layer can have millions
 * of names, so all that is kept for one is a number: what it is called, and
 * where, says its entry. That is looked at only where some bits of its hash are
 * right.
 */
#include <errno.h>
#include <string.h>

#include "base/map.h"
#include "builder_state.h"

enum {
	FIRST_CAPACITY = 64,
	KEY_SIZE = 8 + 1 + PATH_NAME_MAX + 1,
	NUMBER_BITS = 22,
	NUMBER_MASK = (1 << NUMBER_BITS) - 1,
	/* The others say where in the table it is. */
	HASH_SHIFT = 32 + NUMBER_BITS,
};

_Static_assert(LAYER_ENTRIES_MAX <= 1 << NUMBER_BITS, "each has a number");

/* printf() would take longer than all the rest of an entry. */
static uint64_t hash_of(uint32_t dir, const char *name)
{
	static const char digits[] = "0123456789abcdef";
	char key[KEY_SIZE];
	size_t at = 0;

	do
		key[at++] = digits[dir & 15];
	while (dir >>= 4);
	key[at++] = '/';
	/* No name is longer than PATH_NAME_MAX. */
	memcpy(key + at, name, strlen(name) + 1);
	return map_hash(key);
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> HASH_SHIFT);
}

static bool is_it(struct builder *builder, uint32_t slot, uint64_t hash,
    uint32_t dir, const char *name)
{
	const struct layer_entry *entry;

	if (slot >> NUMBER_BITS != tag_of(hash))
		return false;
	entry = builder_entry(builder, slot & NUMBER_MASK);
	return entry->parent == dir &&
	       strcmp(builder_text(builder, entry->name), name) == 0;
}

/* The child's slot, or the free one where it would go. The table is not full.
 */
static uint32_t *find(struct builder *builder, uint64_t hash, uint32_t dir,
    const char *name)
{
	const struct children *children = &builder->children;
	uint32_t i = (uint32_t)hash & (children->cap - 1);

	while (children->slots[i] &&
	       !is_it(builder, children->slots[i], hash, dir, name))
		i = (i + 1) & (children->cap - 1);
	return &children->slots[i];
}

uint32_t builder_child(struct builder *builder, uint32_t dir, const char *name)
{
	if (!builder->children.used)
		return LAYER_ROOT;
	/* The root is nobody's child, and so no number is 0. */
	return *find(builder, hash_of(dir, name), dir, name) & NUMBER_MASK;
}

static void put(struct builder *builder, uint32_t number)
{
	const struct layer_entry *entry = builder_entry(builder, number);
	uint32_t dir = entry->parent;
	const char *name = builder_text(builder, entry->name);
	uint64_t hash = hash_of(dir, name);
	uint32_t *slot = find(builder, hash, dir, name);

	builder->children.used += *slot == 0;
	*slot = tag_of(hash) << NUMBER_BITS | number;
}

/* What was in the table says its entries: there is one table at a time. */
static int grow(struct builder *builder, struct err *err)
{
	struct children *children = &builder->children;
	uint32_t cap = children->cap ? children->cap * 2 : FIRST_CAPACITY;

	builder_forget_children(builder);
	children->slots = calloc(cap, sizeof(*children->slots));
	if (!children->slots)
		return err_nomem(err);
	children->cap = cap;
	for (uint32_t i = 1; i < builder_count(builder); i++)
		if (!(builder_entry(builder, i)->flags & ENTRY_REPLACED))
			put(builder, i);
	return 0;
}

int builder_set_child(struct builder *builder, uint32_t number, struct err *err)
{
	/* Half of it stays free: probes are short, and find() ends. */
	if (builder->children.used + 1 > builder->children.cap / 2)
		return grow(builder, err);
	put(builder, number);
	return 0;
}

void builder_forget_children(struct builder *builder)
{
	free(builder->children.slots);
	builder->children = (struct children){0};
}
