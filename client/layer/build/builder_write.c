/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a builder: who is whose child, and the file. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "builder_state.h"
#include "index/format.h"
#include "index/mapped.h"

/* What goes to the file at once. */
enum { PIECE = 256 << 10 };

/* A file in no directory has no parent to be counted in. */
static bool is_root(uint32_t entry)
{
	return entry == LAYER_ROOT;
}

/* A parent always stands before its children. */
void builder_settle(struct builder *builder)
{
	for (uint32_t i = 1; i < builder_count(builder); i++) {
		struct layer_entry *entry = builder_entry(builder, i);

		if (builder_entry(builder, entry->parent)->flags &
		    ENTRY_REPLACED)
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
	for (uint32_t i = 0; i < builder_count(builder); i++) {
		struct layer_entry *entry = builder_entry(builder, i);
		struct layer_entry *parent =
		    builder_entry(builder, entry->parent);

		entry->flags &= ~(uint32_t)ENTRY_LINKED;
		if (entry->flags & ENTRY_REPLACED)
			continue;
		if (is_dir(entry))
			entry->links += 2;
		else
			builder_entry(builder, entry->link)->links++;
		if (is_root(i))
			continue;
		parent->child_count++;
		parent->links += is_dir(entry);
	}
}

static int by_name(const void *one, const void *two, void *arg)
{
	struct builder *builder = arg;
	const uint32_t *a = one, *b = two;
	uint32_t name = builder_entry(builder, *a)->name;
	uint32_t other = builder_entry(builder, *b)->name;

	return strcmp(builder_text(builder, name),
	    builder_text(builder, other));
}

/* The list of children, in which each directory has its own together. */
static uint32_t *list_children(struct builder *builder)
{
	uint32_t count = builder_count(builder), first = 0;
	uint32_t *list = calloc(count, sizeof(*list));

	if (!list)
		return NULL;
	for (uint32_t i = 0; i < count; i++) {
		struct layer_entry *entry = builder_entry(builder, i);

		entry->first_child = first;
		first += entry->child_count;
		entry->child_count = 0;
	}
	for (uint32_t i = 1; i < count; i++) {
		const struct layer_entry *entry = builder_entry(builder, i);
		struct layer_entry *parent =
		    builder_entry(builder, entry->parent);

		if (!(entry->flags & ENTRY_REPLACED))
			list[parent->first_child + parent->child_count++] = i;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct layer_entry *dir = builder_entry(builder, i);

		qsort_r(list + dir->first_child, dir->child_count,
		    sizeof(*list), by_name, builder);
	}
	return list;
}

/* What two links share is sealed twice, and comes out the same. */
static void seal_block(struct builder *builder, uint32_t salt, uint32_t at)
{
	struct records records;
	uint32_t size;

	if (at == HEAP_NOTHING)
		return;
	memcpy(&size, pile_at(&builder->heap, at, sizeof(size)), sizeof(size));
	records = block_records(salt, size);
	records_seal(&records, at, pile_at(&builder->heap, at, records.size),
	    NULL);
}

static void seal_entries(struct builder *builder, uint32_t salt)
{
	const struct records list = {.size = sizeof(struct layer_entry),
	    .salt = salt};

	for (uint32_t i = 0; i < builder_count(builder); i++) {
		struct layer_entry *entry = builder_entry(builder, i);

		seal_block(builder, salt, entry->target);
		seal_block(builder, salt, entry->xattrs);
		records_seal(&list, i, entry, NULL);
	}
}

static void seal_data(struct builder *builder, const struct index_head *head,
    uint32_t salt)
{
	const struct records spans = {.size = sizeof(struct layer_span),
	    .salt = salt};
	const struct records extents = {.size = sizeof(struct layer_extent),
	    .salt = salt};

	for (uint32_t i = 0; i < head->spans; i++) {
		struct layer_span *span =
		    pile_at(&builder->spans, i * spans.size, spans.size);

		seal_block(builder, salt, span->window);
		records_seal(&spans, i, span, NULL);
	}
	for (uint32_t i = 0; i < head->extents; i++)
		records_seal(&extents, i,
		    pile_at(&builder->extents, i * extents.size, extents.size),
		    NULL);
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
	    .entries = builder_count(builder),
	    .children = builder_count(builder),
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

static int write_pile(struct mapped_writer *writer, struct pile *pile,
    struct err *err)
{
	int r = 0;

	for (size_t at = 0; r == 0 && at < pile->len; at += PIECE) {
		size_t left = pile->len - at;
		size_t len = left < PIECE ? left : PIECE;

		r = mapped_add(writer, pile_at(pile, at, len), len, err);
	}
	return r < 0 ? r : mapped_align(writer, err);
}

static int write_children(struct mapped_writer *writer, struct builder *builder,
    const uint32_t *list, uint32_t salt, struct err *err)
{
	const struct records records = {.size = sizeof(struct index_child),
	    .salt = salt};
	struct index_child some[1024];
	const uint32_t most = sizeof(some) / sizeof(*some);
	uint32_t count = builder_count(builder);
	int r = 0;

	for (uint32_t first = 0; r == 0 && first < count; first += most) {
		uint32_t n = count - first < most ? count - first : most;

		for (uint32_t i = 0; i < n; i++) {
			struct index_child *child = &some[i];

			child->entry = list[first + i];
			child->name =
			    builder_entry(builder, child->entry)->name;
			records_seal(&records, first + i, child,
			    builder_text(builder, child->name));
		}
		r = mapped_add(writer, some, n * sizeof(*some), err);
	}
	return r < 0 ? r : mapped_align(writer, err);
}

static int write_lists(struct mapped_writer *writer, struct builder *builder,
    const struct index_head *head, const uint32_t *children, uint32_t salt,
    struct err *err)
{
	int r = mapped_add(writer, head, sizeof(*head), err);

	if (r == 0)
		r = mapped_align(writer, err);
	if (r == 0)
		r = write_pile(writer, &builder->entries, err);
	if (r == 0)
		r = write_children(writer, builder, children, salt, err);
	if (r == 0)
		r = write_pile(writer, &builder->spans, err);
	if (r == 0)
		r = write_pile(writer, &builder->extents, err);
	if (r == 0)
		r = write_pile(writer, &builder->heap, err);
	return r < 0 ? r : mapped_end(writer, err);
}

uint64_t builder_size(const struct builder *builder)
{
	return mapped_file_size(mapped_aligned(sizeof(struct index_head)) +
				mapped_aligned(builder->entries.len) +
				mapped_aligned(builder_count(builder) *
					       sizeof(struct index_child)) +
				mapped_aligned(builder->spans.len) +
				mapped_aligned(builder->extents.len) +
				mapped_aligned(builder->heap.len));
}

/* It takes no more from now on. */
static int finish(struct builder *builder, const struct index_head *head,
    uint32_t salt, struct err *err)
{
	builder_forget_children(builder);
	builder_settle(builder);
	count_all(builder);
	builder->list = list_children(builder);
	if (!builder->list)
		return err_nomem(err);
	seal_entries(builder, salt);
	seal_data(builder, head, salt);
	return 0;
}

int builder_write(struct builder *builder, const struct layer_facts *facts,
    int fd, struct err *err)
{
	struct mapped_writer writer;
	struct index_head head = make_head(builder, facts);
	uint32_t salt = records_sum(0, &head, sizeof(head));
	int r = builder->list ? 0 : finish(builder, &head, salt, err);

	if (r < 0)
		return r;
	mapped_begin(&writer, fd, INDEX_MAGIC);
	return write_lists(&writer, builder, &head, builder->list, salt, err);
}
