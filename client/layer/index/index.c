/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an index where it is mapped: its entries and their names. */
#include "layer/index.h"

#include <errno.h>
#include <string.h>

#include "names.h"
#include "state.h"

static struct digest get_digest(uint32_t algorithm, const uint8_t *bytes)
{
	struct digest digest = {.algorithm = (enum digest_algorithm)algorithm};

	memcpy(digest.bytes, bytes, DIGEST_MAX_BYTES);
	return digest;
}

static struct layer_facts get_facts(const struct index_head *head)
{
	return (struct layer_facts){
	    .vouching = (enum layer_vouching)head->vouching,
	    .compression = (enum compression)head->compression,
	    .blob = get_digest(head->blob_algorithm, head->blob),
	    .blob_size = head->blob_size,
	    .stream = get_digest(head->stream_algorithm, head->stream),
	    .stream_size = head->stream_size,
	    .has_acls = head->has_acls,
	    .has_dangling = head->has_dangling,
	};
}

/* The next list of the file, at *at. */
static bool take(const struct layer_index *index, uint64_t *at, uint64_t count,
    size_t size, struct records *out)
{
	uint64_t rest = mapped_size(index->file) - *at;

	if (count > rest / size || count > UINT32_MAX ||
	    mapped_aligned((size_t)count * size) > rest)
		return false;
	*out = (struct records){index->file, *at, count, size, index->salt};
	*at += mapped_aligned((size_t)count * size);
	return true;
}

static bool is_digest(uint32_t algorithm)
{
	return algorithm == DIGEST_SHA256 || algorithm == DIGEST_SHA512;
}

static bool is_known(const struct index_head *head)
{
	return head->vouching <= LAYER_BY_STREAM &&
	       head->compression <= COMPRESSION_XZ &&
	       is_digest(head->blob_algorithm) &&
	       (head->vouching != LAYER_BY_STREAM ||
		   is_digest(head->stream_algorithm));
}

static int set_lists(struct layer_index *index, struct err *err)
{
	struct index_head head;
	struct records heap;
	uint64_t at = mapped_aligned(sizeof(head));

	if (!mapped_copy(index->file, 0, &head, sizeof(head)) ||
	    !is_known(&head))
		return err_set(err, EBADMSG, "the index has no head");
	index->facts = get_facts(&head);
	index->salt = records_sum(0, &head, sizeof(head));
	if (!take(index, &at, head.entries, sizeof(struct layer_entry),
		&index->entries) ||
	    !take(index, &at, head.children, sizeof(struct index_child),
		&index->children) ||
	    !take(index, &at, head.spans, sizeof(struct layer_span),
		&index->spans) ||
	    !take(index, &at, head.extents, sizeof(struct layer_extent),
		&index->extents) ||
	    !take(index, &at, head.heap, 1, &heap))
		return err_set(err, EBADMSG, "the index is truncated");
	index->heap = heap.at;
	index->heap_size = heap.count;
	/* The root is always there, and offset 0 of the heap. */
	if (head.entries == 0 || head.heap == 0)
		return err_set(err, EBADMSG, "the index has no root");
	return 0;
}

int layer_index_open(int fd, struct layer_index **out, struct err *err)
{
	CLEANUP(layer_index_close_p)
	struct layer_index *index = calloc(1, sizeof(*index));
	int r;

	if (!index) {
		close(fd);
		return err_nomem(err);
	}
	r = mapped_open(fd, INDEX_MAGIC, &index->file, err);
	if (r == 0)
		r = set_lists(index, err);
	if (r == 0)
		*out = steal(&index);
	return r;
}

void layer_index_close(struct layer_index *index)
{
	if (!index)
		return;
	mapped_close_p(&index->file);
	free(index);
}

uint64_t layer_index_id(const struct layer_index *index)
{
	return mapped_id(index->file);
}

const struct layer_facts *layer_index_facts(const struct layer_index *index)
{
	return &index->facts;
}

uint32_t layer_index_count(const struct layer_index *index)
{
	return (uint32_t)index->entries.count;
}

int layer_index_set_damaged(const struct layer_index *index, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];

	mapped_set_damaged(index->file);
	return err_set(err, EUCLEAN,
	    "the index of layer %s is damaged in the cache",
	    digest_format(&index->facts.blob, text));
}

bool layer_index_is_damaged(const struct layer_index *index)
{
	return mapped_is_damaged(index->file);
}

bool layer_index_is_of(const struct layer_index *index, int fd)
{
	return mapped_is(index->file, fd);
}

bool layer_index_replace(struct layer_index *index, struct layer_index *fresh)
{
	CLEANUP(layer_index_close_p) struct layer_index *taken = fresh;

	if (layer_index_id(index) != layer_index_id(fresh) ||
	    mapped_size(index->file) != mapped_size(fresh->file))
		return false;
	mapped_replace(index->file, steal(&taken->file));
	return true;
}

/* Whether a range is in a list. */
static bool has(const struct records *list, uint32_t first, uint32_t count)
{
	return first <= list->count && count <= list->count - first;
}

static bool is_sane(const struct layer_index *index,
    const struct layer_entry *entry)
{
	return entry->parent < index->entries.count &&
	       entry->link < index->entries.count &&
	       has(&index->children, entry->first_child, entry->child_count) &&
	       has(&index->extents, entry->first_extent, entry->extent_count);
}

int layer_index_entry(const struct layer_index *index, uint32_t number,
    struct layer_entry *out, struct err *err)
{
	if (records_copy(&index->entries, number, out) &&
	    records_is_right(&index->entries, number, out, NULL) &&
	    is_sane(index, out))
		return 0;
	return layer_index_set_damaged(index, err);
}

bool layer_index_text(const struct layer_index *index, uint32_t at,
    char out[LAYER_NAME_SIZE])
{
	uint64_t room = at < index->heap_size ? index->heap_size - at : 0;

	return mapped_text(index->file, index->heap + at, out,
	    room < LAYER_NAME_SIZE ? (size_t)room : LAYER_NAME_SIZE);
}

/* Its name is copied, and neither is compared with the check. */
static bool copy_child(const struct layer_index *index, uint64_t number,
    struct index_child *out, char name[LAYER_NAME_SIZE])
{
	return records_copy(&index->children, number, out) &&
	       layer_index_text(index, out->name, name);
}

static int read_child(const struct layer_index *index, uint64_t number,
    uint32_t *out, char name[LAYER_NAME_SIZE], struct err *err)
{
	struct index_child child;

	if (!copy_child(index, number, &child, name) ||
	    !records_is_right(&index->children, number, &child, name))
		return layer_index_set_damaged(index, err);
	*out = child.entry;
	return 0;
}

int layer_index_child(const struct layer_index *index,
    const struct layer_entry *dir, uint32_t i, uint32_t *out,
    char name[LAYER_NAME_SIZE], struct err *err)
{
	return read_child(index, (uint64_t)dir->first_child + i, out, name,
	    err);
}

/* The names of the list of children. */
struct entry_named {
	const struct layer_index *index;
	uint32_t entry; /* of the one that was read last */
};

static bool peek_name(const void *list, uint32_t number,
    char out[LAYER_NAME_SIZE])
{
	const struct entry_named *named = list;
	struct index_child child;

	return copy_child(named->index, number, &child, out);
}

static int read_name(void *list, uint32_t number, char out[LAYER_NAME_SIZE],
    struct err *err)
{
	struct entry_named *named = list;

	return read_child(named->index, number, &named->entry, out, err);
}

static int set_damaged(const void *list, struct err *err)
{
	const struct entry_named *named = list;

	return layer_index_set_damaged(named->index, err);
}

int layer_index_find(const struct layer_index *index, uint32_t dir,
    const char *name, size_t len, uint32_t *out, struct err *err)
{
	static const struct index_names names = {peek_name, read_name,
	    set_damaged};
	struct entry_named named = {.index = index};
	struct layer_entry entry;
	uint32_t number;
	int r = layer_index_entry(index, dir, &entry, err);

	if (r == 0)
		r = names_find(&names, &named, entry.first_child,
		    entry.child_count, name, len, &number, err);
	if (r == 1)
		*out = named.entry;
	return r;
}
