/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a tar that is pushed at it. The stream is a sequence of blocks that are
 * collected whole (headers) and of bodies that are passed on as they come, so
 * it makes no difference how it is cut into pieces.
 */
#include "tar/walker.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "block.h"
#include "pax.h"

/* A header block's type where it is none of enum tar_type. */
enum {
	TYPE_OLD_FILE = '\0',
	TYPE_GNU_SPARSE = 'S',
	/* What these have for a body is about the next entry. */
	TYPE_PAX = 'x',
	TYPE_PAX_GLOBAL = 'g',
	TYPE_GNU_LONG_NAME = 'L',
	TYPE_GNU_LONG_LINK = 'K',
};

enum state {
	STATE_HEADER, /* collects a header block */
	STATE_ZERO,   /* collects the block behind one of zeros */
	STATE_MAP,    /* collects another block of an old GNU sparse map */
	STATE_BODY,   /* passes a body on, then drops its padding */
	STATE_END,
};

struct tar_walker {
	struct tar_handler handler;
	enum state state;
	uint64_t offset;        /* of the next byte */
	uint64_t header_offset; /* of the header that is worked on */
	uint64_t body, padding; /* what is left of them */

	uint8_t data[TAR_BLOCK]; /* the block that is being collected */
	size_t data_len;
	struct block block; /* the last header */
	bool pass_body;     /* its body goes to the handler */

	/* What headers in front of an entry say about it. */
	bool pending;     /* one of them came */
	struct buf *meta; /* where the body goes of the one that is read */
	struct buf pax_text;
	struct pax pax; /* points into pax_text */
	struct buf long_name, long_link;
};

int tar_walker_new(const struct tar_handler *handler, struct tar_walker **out,
    struct err *err)
{
	struct tar_walker *walker = calloc(1, sizeof(*walker));

	if (!walker)
		return err_nomem(err);
	walker->handler = *handler;
	walker->pax_text = BUF_INIT(TAR_EXTENDED_MAX);
	/* With the NUL that GNU tar writes behind them. */
	walker->long_name = BUF_INIT(TAR_NAME_MAX + 1);
	walker->long_link = BUF_INIT(TAR_NAME_MAX + 1);
	*out = walker;
	return 0;
}

void tar_walker_free(struct tar_walker *walker)
{
	if (!walker)
		return;
	buf_release(&walker->pax_text);
	buf_release(&walker->long_name);
	buf_release(&walker->long_link);
	free(walker);
}

/* Says where the sentence that err holds applies. */
static int at_header(const struct tar_walker *walker, struct err *err)
{
	return err_wrap(err, "tar offset %" PRIu64, walker->header_offset);
}

static int broken(const struct tar_walker *walker, const char *what,
    struct err *err)
{
	err_set(err, EINVAL, "%s", what);
	return at_header(walker, err);
}

static void forget_pending(struct tar_walker *walker)
{
	walker->pending = false;
	walker->pax = (struct pax){0};
	buf_reset(&walker->pax_text);
	buf_reset(&walker->long_name);
	buf_reset(&walker->long_link);
}

static int end_meta(struct tar_walker *walker, struct err *err)
{
	struct buf *text = steal(&walker->meta);

	if (text != &walker->pax_text)
		return 0;
	/* Parsing needs the NUL behind the text, which an empty one lacks. */
	if (text->len > 0 &&
	    pax_parse(text->data, text->len, &walker->pax, err) < 0)
		return at_header(walker, err);
	/* A global header has no effect in Go, nor has it for an engine. */
	if (walker->block.type == TYPE_PAX_GLOBAL)
		forget_pending(walker);
	return 0;
}

static int end_body(struct tar_walker *walker, struct err *err)
{
	if (walker->padding == 0)
		walker->state = STATE_HEADER;
	return walker->meta ? end_meta(walker, err) : 0;
}

/* What follows the header is a body of that size. */
static int begin_body(struct tar_walker *walker, int64_t size, struct err *err)
{
	if (size < 0 || (uint64_t)size > INT64_MAX - TAR_BLOCK - walker->offset)
		return broken(walker, "an entry of an impossible size", err);
	walker->body = (uint64_t)size;
	walker->padding = tar_padding(walker->body);
	walker->state = STATE_BODY;
	return walker->body == 0 ? end_body(walker, err) : 0;
}

static int begin_meta(struct tar_walker *walker, struct buf *text,
    struct err *err)
{
	buf_reset(text);
	if (walker->block.size > (int64_t)text->limit)
		return broken(walker, "an entry with too long a name or header",
		    err);
	walker->pending = true;
	walker->meta = text;
	return begin_body(walker, walker->block.size, err);
}

static bool is_known(int type)
{
	return type >= TAR_FILE && type <= TAR_FIFO;
}

/* Of those that nobody knows the size is believed, so as to skip them. */
static bool has_body(int type)
{
	return type == TAR_FILE || !is_known(type);
}

/* The GNU headers win over pax, as in Go; but for a sparse file's name. */
static const char *entry_name(const struct tar_walker *walker)
{
	if (walker->pax.sparse_name)
		return walker->pax.sparse_name;
	if (*buf_str(&walker->long_name))
		return walker->long_name.data;
	return walker->pax.name ? walker->pax.name : walker->block.name;
}

static const char *entry_link(const struct tar_walker *walker)
{
	if (*buf_str(&walker->long_link))
		return walker->long_link.data;
	return walker->pax.link ? walker->pax.link : walker->block.link;
}

/* One of enum tar_type, or a type that nobody knows. */
static int entry_type(const struct block *block, const char *name)
{
	size_t len = strlen(name);

	if (block->type == TYPE_OLD_FILE && len > 0 && name[len - 1] == '/')
		return TAR_DIRECTORY; /* v7 has no type for them */
	if (block->type == TYPE_OLD_FILE || block->type == TYPE_GNU_SPARSE)
		return TAR_FILE;
	return block->type;
}

/* The header's fields, and over them what was said in front of it. */
static struct tar_entry merged_entry(const struct tar_walker *walker)
{
	const struct block *block = &walker->block;
	const struct pax *pax = &walker->pax;

	/* Owners are cut to what chown(2) takes, as engines do it: a negative
	 * one is somebody's "nobody". */
	return (struct tar_entry){
	    .name = entry_name(walker),
	    .link = entry_link(walker),
	    .offset = walker->offset,
	    .mode = (uint32_t)block->mode & 07777,
	    .uid = (uint32_t)(pax->has_uid ? pax->uid : block->uid),
	    .gid = (uint32_t)(pax->has_gid ? pax->gid : block->gid),
	    .mtime = pax->has_mtime ? pax->mtime : block->mtime,
	    .mtime_nanos = pax->mtime_nanos,
	    .dev_major = (uint32_t)block->dev_major,
	    .dev_minor = (uint32_t)block->dev_minor,
	    .is_sparse = block->type == TYPE_GNU_SPARSE || pax->is_sparse,
	};
}

static int begin_entry(struct tar_walker *walker, struct err *err)
{
	struct tar_entry entry = merged_entry(walker);
	int64_t size =
	    walker->pax.has_size ? walker->pax.size : walker->block.size;
	int type = entry_type(&walker->block, entry.name);
	int r;

	if (strlen(entry.name) > TAR_NAME_MAX ||
	    strlen(entry.link) > TAR_NAME_MAX)
		return broken(walker, "an entry with too long a name", err);
	r = begin_body(walker, has_body(type) ? size : 0, err);
	if (r < 0)
		return r;
	walker->pass_body = walker->handler.data && is_known(type);
	if (is_known(type)) {
		entry.type = (enum tar_type)type;
		entry.size = walker->body;
		r = walker->handler.entry(walker->handler.arg, &entry, err);
	}
	forget_pending(walker);
	return r;
}

static int end_header(struct tar_walker *walker, struct err *err)
{
	struct block *block = &walker->block;

	walker->header_offset = walker->offset - TAR_BLOCK;
	if (block_is_zero(walker->data)) {
		walker->state = STATE_ZERO;
		return 0;
	}
	if (block_parse(walker->data, block, err) < 0)
		return at_header(walker, err);
	switch (block->type) {
	case TYPE_PAX:
	case TYPE_PAX_GLOBAL:
		return begin_meta(walker, &walker->pax_text, err);
	case TYPE_GNU_LONG_NAME:
		return begin_meta(walker, &walker->long_name, err);
	case TYPE_GNU_LONG_LINK:
		return begin_meta(walker, &walker->long_link, err);
	case TYPE_GNU_SPARSE:
		if (!block->is_gnu)
			return broken(walker, "a sparse file, but no GNU tar",
			    err);
		if (block->map_continues) {
			walker->state = STATE_MAP;
			return 0;
		}
		break;
	default:
		break;
	}
	return begin_entry(walker, err);
}

static int end_block(struct tar_walker *walker, struct err *err)
{
	switch (walker->state) {
	case STATE_HEADER:
		return end_header(walker, err);
	case STATE_MAP:
		return block_map_continues(walker->data)
			   ? 0
			   : begin_entry(walker, err);
	case STATE_ZERO:
		/* One block of zeros is an end only where the file ends, too:
		 * so Go has it. GNU tar would go on reading here. */
		if (!block_is_zero(walker->data))
			return broken(walker,
			    "zeros with something else behind them", err);
		walker->state = STATE_END;
		return 0;
	case STATE_BODY:
	case STATE_END:
		break;
	}
	assert(!"a block is collected");
	return 0;
}

static size_t least(size_t len, uint64_t left)
{
	return left < len ? (size_t)left : len;
}

/* These take up to len bytes and say how many in *taken. */
static int take_block(struct tar_walker *walker, const uint8_t *data,
    size_t len, size_t *taken, struct err *err)
{
	*taken = least(len, TAR_BLOCK - walker->data_len);
	memcpy(walker->data + walker->data_len, data, *taken);
	walker->data_len += *taken;
	walker->offset += *taken;
	if (walker->data_len < TAR_BLOCK)
		return 0;
	walker->data_len = 0;
	return end_block(walker, err);
}

static int pass_on(struct tar_walker *walker, const uint8_t *data, size_t len,
    struct err *err)
{
	if (walker->meta)
		return buf_add(walker->meta, data, len, err);
	if (walker->pass_body)
		return walker->handler.data(walker->handler.arg, data, len,
		    err);
	return 0;
}

static int take_body(struct tar_walker *walker, const uint8_t *data, size_t len,
    size_t *taken, struct err *err)
{
	int r;

	if (walker->body == 0) {
		*taken = least(len, walker->padding);
		walker->offset += *taken;
		walker->padding -= *taken;
		if (walker->padding == 0)
			walker->state = STATE_HEADER;
		return 0;
	}
	*taken = least(len, walker->body);
	r = pass_on(walker, data, *taken, err);
	if (r < 0)
		return r;
	walker->body -= *taken;
	walker->offset += *taken;
	return walker->body == 0 ? end_body(walker, err) : 0;
}

int tar_walker_feed(struct tar_walker *walker, const void *data, size_t len,
    size_t *used, struct err *err)
{
	const uint8_t *bytes = data;
	size_t done = 0;

	while (done < len && walker->state != STATE_END) {
		size_t taken;
		int r = walker->state == STATE_BODY
			    ? take_body(walker, bytes + done, len - done,
				  &taken, err)
			    : take_block(walker, bytes + done, len - done,
				  &taken, err);

		if (r < 0)
			return r;
		done += taken;
	}
	if (used)
		*used = done;
	return walker->state == STATE_END;
}

uint64_t tar_walker_offset(const struct tar_walker *walker)
{
	return walker->offset;
}

bool tar_walker_between(const struct tar_walker *walker)
{
	return (walker->state == STATE_HEADER || walker->state == STATE_ZERO ||
		   walker->state == STATE_END) &&
	       walker->data_len == 0 && !walker->pending;
}
