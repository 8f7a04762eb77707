/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexes with any content, whose checksum is right: what is asked of them has
 * an end and is in bounds, and so has the tree that is made of them. The first
 * byte of the input says whether the checks of the records are made right, too:
 * without that, hardly any is looked at.
 */
#include <string.h>
#include <sys/mman.h>

#include "../unit/damage_fixture.h"
#include "fuzz.h"
#include "index/format.h"
#include "tree/stack.h"

/* The content of a file, of which no more is believed than its size. */
struct content {
	uint8_t *bytes;
	size_t size;
	uint32_t salt;
	size_t heap; /* where it begins; it ends with the content */
};

static void seal_block(const struct content *content, uint32_t at)
{
	size_t room = content->size - content->heap;
	struct records block;
	uint32_t size;

	if (at == HEAP_NOTHING || at > room || room - at < sizeof(size))
		return;
	memcpy(&size, content->bytes + content->heap + at, sizeof(size));
	block = block_records(content->salt, size);
	if (block.size <= room - at)
		records_seal(&block, at, content->bytes + content->heap + at,
		    NULL);
}

static void seal_entry(const struct content *content, void *record)
{
	const struct layer_entry *entry = record;

	seal_block(content, entry->target);
	seal_block(content, entry->xattrs);
}

static void seal_span(const struct content *content, void *record)
{
	const struct layer_span *span = record;

	seal_block(content, span->window);
}

/* The name that a child leads to; NULL: none. */
static const char *name_of(const struct content *content,
    const struct index_child *child)
{
	size_t room = content->size - content->heap;
	const char *name;

	if (child->name >= room)
		return NULL;
	name = (const char *)content->bytes + content->heap + child->name;
	return memchr(name, 0, room - child->name) ? name : NULL;
}

/* A list of records at *at, and what its records lead to. */
static void seal_list(const struct content *content, size_t *at, uint64_t count,
    size_t size, void (*seal)(const struct content *content, void *record))
{
	const struct records list = {.size = size, .salt = content->salt};

	for (uint64_t i = 0; i < count && content->size - *at >= size; i++) {
		/* Aligned, as what is in the content may not be. */
		union {
			struct layer_entry entry;
			struct layer_span span;
			struct layer_extent extent;
			struct index_child child;
		} record;

		memcpy(&record, content->bytes + *at, size);
		if (seal)
			seal(content, &record);
		records_seal(&list, i, &record,
		    size == sizeof(record.child)
			? name_of(content, &record.child)
			: NULL);
		memcpy(content->bytes + *at, &record, size);
		*at += size;
	}
	*at = mapped_aligned(*at);
	if (*at > content->size)
		*at = content->size;
}

/* Where the heap begins, if the head is right. */
static size_t heap_of(const struct content *content,
    const struct index_head *head)
{
	const uint64_t lists[] = {head->entries * sizeof(struct layer_entry),
	    head->children * sizeof(struct index_child),
	    head->spans * sizeof(struct layer_span),
	    head->extents * sizeof(struct layer_extent)};
	size_t at = mapped_aligned(sizeof(*head));

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		if (at > content->size || lists[i] > content->size - at)
			return content->size;
		at += mapped_aligned((size_t)lists[i]);
	}
	return at < content->size ? at : content->size;
}

static void seal(struct content *content)
{
	struct index_head head;
	size_t at = mapped_aligned(sizeof(head));

	if (content->size < at)
		return;
	memcpy(&head, content->bytes, sizeof(head));
	content->salt = records_sum(0, &head, sizeof(head));
	content->heap = heap_of(content, &head);
	seal_list(content, &at, head.entries, sizeof(struct layer_entry),
	    seal_entry);
	seal_list(content, &at, head.children, sizeof(struct index_child),
	    NULL);
	seal_list(content, &at, head.spans, sizeof(struct layer_span),
	    seal_span);
	seal_list(content, &at, head.extents, sizeof(struct layer_extent),
	    NULL);
}

/* What two of them make on top of each other. */
static void make_tree(const struct layer_index *index)
{
	const struct layer_index *const layers[] = {index, index};
	const struct merged_stack stack = {layers, 2};
	AUTO_BUF struct buf said = BUF_INIT(SAID_MAX);
	struct merged *merged;
	struct err err = ERR_INIT;
	int fd = memfd_create("tree", MFD_CLOEXEC);
	int r = merged_write(&stack, "/tmp", fd, &err);

	if (r < 0) {
		if (r != -err.code)
			abort();
		close(fd);
		return;
	}
	if (merged_open(&stack, fd, &merged, &err) < 0)
		abort();
	/* What was just made is not damaged; but an index may not agree with
	 * itself where a name is. */
	r = say_merged(merged, &stack, &said, &err);
	if (merged_is_damaged(merged) || (r < 0 && r != -err.code))
		abort();
	merged_close(merged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(layer_index_close_p) struct layer_index *index = NULL;
	AUTO_BUF struct buf said = BUF_INIT(SAID_MAX);
	AUTO_FREE uint8_t *bytes = NULL;
	struct content content = {.size = size ? size - 1 : 0};
	struct err err = ERR_INIT;
	int fd = memfd_create("index", MFD_CLOEXEC), r;

	bytes = content.bytes = malloc(size + 1);
	if (!bytes || fd < 0)
		abort();
	memcpy(bytes, data + (size > 0), content.size);
	if (size > 0 && data[0])
		seal(&content);
	const struct mapped_piece piece = {bytes, content.size};

	if (mapped_write(fd, INDEX_MAGIC, &piece, 1, &err) < 0)
		abort();
	if (layer_index_open(fd, &index, &err) < 0)
		return 0;
	r = say_index(index, &said, &err);
	if (r < 0 && r != -err.code)
		abort();
	make_tree(index);
	return 0;
}
