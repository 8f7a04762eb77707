/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a builder: who is whose child, and the file. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "builder_state.h"
#include "format.h"
#include "mapped.h"

/* A file in no directory has no parent to be counted in. */
static bool is_root(uint32_t entry)
{
	return entry == LAYER_ROOT;
}

/* What replaced entries had below them is gone with them. A parent always
 * stands before its children. */
static void drop_unreachable(struct builder *builder)
{
	for (uint32_t i = 1; i < builder->count; i++) {
		struct layer_entry *entry = &builder->entries[i];

		if (builder->entries[entry->parent].flags & ENTRY_REPLACED)
			entry->flags |= ENTRY_REPLACED;
	}
}

static bool is_dir(const struct layer_entry *entry)
{
	return S_ISDIR(entry->mode);
}

/* Counts links and children; directories have two links and one for each
 * directory in them. */
static void count_all(struct builder *builder)
{
	for (uint32_t i = 0; i < builder->count; i++) {
		struct layer_entry *entry = &builder->entries[i];
		struct layer_entry *parent = &builder->entries[entry->parent];

		if (entry->flags & ENTRY_REPLACED)
			continue;
		if (is_dir(entry))
			entry->links += 2;
		else
			builder->entries[entry->link].links++;
		if (is_root(i))
			continue;
		parent->child_count++;
		parent->links += is_dir(entry);
	}
}

struct names {
	const struct layer_entry *entries;
	const char *heap;
};

static int by_name(const void *one, const void *two, void *arg)
{
	const struct names *names = arg;
	const uint32_t *a = one, *b = two;

	return strcmp(names->heap + names->entries[*a].name,
	    names->heap + names->entries[*b].name);
}

/* The list of children, in which each directory has its own together. */
static uint32_t *list_children(struct builder *builder)
{
	struct layer_entry *entries = builder->entries;
	uint32_t *list = calloc(builder->count, sizeof(*list));
	struct names names = {entries, builder->heap.data};
	uint32_t first = 0;

	if (!list)
		return NULL;
	for (uint32_t i = 0; i < builder->count; i++) {
		entries[i].first_child = first;
		first += entries[i].child_count;
		entries[i].child_count = 0;
	}
	for (uint32_t i = 1; i < builder->count; i++) {
		struct layer_entry *parent = &entries[entries[i].parent];

		if (!(entries[i].flags & ENTRY_REPLACED))
			list[parent->first_child + parent->child_count++] = i;
	}
	for (uint32_t i = 0; i < builder->count; i++)
		qsort_r(list + entries[i].first_child, entries[i].child_count,
		    sizeof(*list), by_name, &names);
	return list;
}

static struct index_child *make_children(struct builder *builder)
{
	AUTO_FREE uint32_t *list = list_children(builder);
	struct index_child *children =
	    calloc(builder->count, sizeof(*children));

	for (uint32_t i = 0; list && children && i < builder->count; i++)
		children[i] = (struct index_child){.entry = list[i],
		    .name = builder->entries[list[i]].name};
	if (!list)
		free(steal(&children));
	return children;
}

/* What two links share is sealed twice, and comes out the same. */
static void seal_block(const struct builder *builder, uint32_t salt,
    uint32_t at)
{
	char *block = builder->heap.data + at;
	struct records records;
	uint32_t size;

	if (at == HEAP_NOTHING)
		return;
	memcpy(&size, block, sizeof(size));
	records = block_records(salt, size);
	records_seal(&records, at, block, NULL);
}

static void seal_entries(const struct builder *builder, uint32_t salt)
{
	const struct records list = {.size = sizeof(struct layer_entry),
	    .salt = salt};

	for (uint32_t i = 0; i < builder->count; i++) {
		struct layer_entry *entry = &builder->entries[i];

		seal_block(builder, salt, entry->target);
		seal_block(builder, salt, entry->xattrs);
		records_seal(&list, i, entry, NULL);
	}
}

static void seal_children(const struct builder *builder, uint32_t salt,
    struct index_child *children)
{
	const struct records list = {.size = sizeof(*children), .salt = salt};

	for (uint32_t i = 0; i < builder->count; i++)
		records_seal(&list, i, &children[i],
		    builder->heap.data + children[i].name);
}

static void seal_data(const struct builder *builder,
    const struct index_head *head, uint32_t salt)
{
	struct layer_span *spans = (void *)builder->spans.data;
	struct layer_extent *extents = (void *)builder->extents.data;
	const struct records span_list = {.size = sizeof(*spans), .salt = salt};
	const struct records extent_list = {.size = sizeof(*extents),
	    .salt = salt};

	for (uint32_t i = 0; i < head->spans; i++) {
		seal_block(builder, salt, spans[i].window);
		records_seal(&span_list, i, &spans[i], NULL);
	}
	for (uint32_t i = 0; i < head->extents; i++)
		records_seal(&extent_list, i, &extents[i], NULL);
}

static struct index_head make_head(const struct builder *builder,
    const struct layer_facts *facts)
{
	struct index_head head = {
	    .vouching = facts->vouching,
	    .compression = facts->compression,
	    .blob_algorithm = facts->blob.algorithm,
	    .stream_algorithm = facts->stream.algorithm,
	    .blob_size = facts->blob_size,
	    .stream_size = facts->stream_size,
	    .entries = builder->count,
	    .children = builder->count,
	    .spans = builder->spans.len / sizeof(struct layer_span),
	    .extents = builder->extents.len / sizeof(struct layer_extent),
	    .heap = builder->heap.len,
	    .has_acls = builder->has_acls,
	    .has_dangling = builder->has_dangling,
	};

	memcpy(head.blob, facts->blob.bytes, sizeof(head.blob));
	memcpy(head.stream, facts->stream.bytes, sizeof(head.stream));
	return head;
}

int builder_write(struct builder *builder, const struct layer_facts *facts,
    int fd, struct err *err)
{
	AUTO_FREE struct index_child *children = NULL;
	struct index_head head = make_head(builder, facts);
	uint32_t salt = records_sum(0, &head, sizeof(head));

	drop_unreachable(builder);
	count_all(builder);
	children = make_children(builder);
	if (!children)
		return err_nomem(err);
	seal_entries(builder, salt);
	seal_children(builder, salt, children);
	seal_data(builder, &head, salt);
	const struct mapped_piece pieces[] = {
	    {&head, sizeof(head)},
	    {builder->entries, builder->count * sizeof(*builder->entries)},
	    {children, builder->count * sizeof(*children)},
	    {builder->spans.data, builder->spans.len},
	    {builder->extents.data, builder->extents.len},
	    {builder->heap.data, builder->heap.len},
	};

	return mapped_write(fd, INDEX_MAGIC, pieces,
	    sizeof(pieces) / sizeof(*pieces), err);
}
