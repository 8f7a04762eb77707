/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an index where it is mapped. */
#include "layer/index.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "compare.h"
#include "format.h"
#include "mapped.h"

struct layer_index {
	struct mapped file;
	struct layer_facts facts;
	const struct index_head *head;
	const struct layer_entry *entries;
	const uint32_t *children;
	const struct layer_span *spans;
	const struct layer_extent *extents;
	const char *heap;
};

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

/* The next list of the file: count records. NULL where it does not fit. */
static const void *take(struct mapped *rest, uint64_t count, size_t record)
{
	const uint8_t *list = rest->data;
	size_t size;

	if (!list || count > rest->size / record)
		return rest->data = NULL;
	size = mapped_aligned((size_t)count * record);
	if (size > rest->size)
		return rest->data = NULL;
	rest->data += size;
	rest->size -= size;
	return list;
}

static int set_lists(struct layer_index *index, struct err *err)
{
	struct mapped rest = index->file;
	const struct index_head *head = take(&rest, 1, sizeof(*head));

	if (head) {
		index->head = head;
		index->facts = get_facts(head);
		index->entries =
		    take(&rest, head->entries, sizeof(*index->entries));
		index->children =
		    take(&rest, head->children, sizeof(*index->children));
		index->spans = take(&rest, head->spans, sizeof(*index->spans));
		index->extents =
		    take(&rest, head->extents, sizeof(*index->extents));
		index->heap = take(&rest, head->heap, 1);
	}
	/* The root is always there, and offset 0 of the heap. */
	if (!rest.data || head->entries == 0 || head->heap == 0)
		return err_set(err, EBADMSG, "an index that is cut off");
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
	mapped_release(&index->file);
	free(index);
}

uint64_t layer_index_id(const struct layer_index *index)
{
	return index->file.crc;
}

const struct layer_facts *layer_index_facts(const struct layer_index *index)
{
	return &index->facts;
}

uint32_t layer_index_count(const struct layer_index *index)
{
	return (uint32_t)index->head->entries;
}

const struct layer_entry *layer_index_entry(const struct layer_index *index,
    uint32_t entry)
{
	assert(entry < index->head->entries);
	return &index->entries[entry];
}

const char *layer_index_name(const struct layer_index *index, uint32_t entry)
{
	return index->heap + layer_index_entry(index, entry)->name;
}

const char *layer_index_target(const struct layer_index *index, uint32_t entry)
{
	return index->heap + layer_index_entry(index, entry)->target;
}

const uint32_t *layer_index_children(const struct layer_index *index,
    uint32_t dir, uint32_t *count)
{
	const struct layer_entry *entry = layer_index_entry(index, dir);

	*count = entry->child_count;
	return index->children + entry->first_child;
}

bool layer_index_find(const struct layer_index *index, uint32_t dir,
    const char *name, size_t len, uint32_t *out)
{
	uint32_t count;
	const uint32_t *children = layer_index_children(index, dir, &count);

	while (count > 0) {
		uint32_t middle = count / 2;
		int order = compare_name(name, len,
		    layer_index_name(index, children[middle]));

		if (order == 0) {
			*out = children[middle];
			return true;
		}
		if (order > 0) {
			children += middle + 1;
			count -= middle + 1;
		} else {
			count = middle;
		}
	}
	return false;
}

bool layer_index_xattr(const struct layer_index *index, uint32_t entry,
    uint32_t *cursor, const char **name, const void **value, uint32_t *len)
{
	uint32_t at = layer_index_entry(index, entry)->xattrs;
	uint32_t size;

	if (at == HEAP_NOTHING)
		return false;
	memcpy(&size, index->heap + at, sizeof(size));
	if (*cursor >= size)
		return false;
	at += (uint32_t)sizeof(size) + *cursor;
	*name = index->heap + at;
	at += (uint32_t)strlen(*name) + 1;
	memcpy(len, index->heap + at, sizeof(*len));
	at += (uint32_t)sizeof(*len);
	*value = index->heap + at;
	*cursor += (uint32_t)strlen(*name) + 1 + (uint32_t)sizeof(*len) + *len;
	return true;
}

const struct layer_extent *layer_index_extents(const struct layer_index *index,
    const struct layer_entry *entry)
{
	return index->extents + entry->first_extent;
}

const struct layer_span *layer_index_spans(const struct layer_index *index,
    uint32_t *count)
{
	*count = (uint32_t)index->head->spans;
	return index->spans;
}

uint32_t layer_index_span_at(const struct layer_index *index, uint64_t out)
{
	uint32_t low = 0, high = (uint32_t)index->head->spans;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (index->spans[middle].out <= out)
			low = middle;
		else
			high = middle;
	}
	return low;
}

const void *layer_index_window(const struct layer_index *index,
    const struct layer_span *span)
{
	return index->heap + span->window;
}
