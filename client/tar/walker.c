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
#include "member.h"

enum state {
	STATE_HEADER, /* collects a header block */
	STATE_ZERO,   /* collects the block after one of zeros */
	STATE_MAP,    /* collects another block of a sparse file's map */
	STATE_BODY,   /* passes a body on, then drops its padding */
	STATE_END,
};

struct tar_walker {
	struct tar_handler handler;
	enum state state;
	uint64_t offset;        /* of the next byte */
	uint64_t header_offset; /* of the header that is worked on */
	uint64_t begin;         /* of the first one of its entry */
	uint64_t body, padding; /* what is left of them */

	uint8_t data[TAR_BLOCK]; /* the block that is being collected */
	size_t data_len;
	struct member member; /* what is known of the entry */
	bool pending;         /* headers in front of one came */
	bool is_odd;      /* of a type that engines do not know, or they are */
	bool has_odd;     /* something was */
	struct buf *meta; /* where the body goes of the one that is read */
	bool is_data;     /* the body is that of the last entry */
};

int tar_walker_new(const struct tar_handler *handler, struct tar_walker **out,
    struct err *err)
{
	struct tar_walker *walker = calloc(1, sizeof(*walker));

	if (!walker)
		return err_nomem(err);
	walker->handler = *handler;
	member_init(&walker->member);
	*out = walker;
	return 0;
}

void tar_walker_free(struct tar_walker *walker)
{
	if (!walker)
		return;
	member_release(&walker->member);
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
	walker->is_odd = false;
	member_forget(&walker->member);
}

static int end_meta(struct tar_walker *walker, struct err *err)
{
	if (steal(&walker->meta) != &walker->member.pax_text)
		return 0;
	if (member_parse_pax(&walker->member, err) < 0)
		return at_header(walker, err);
	/* A global header has no effect in Go, nor has it for an engine. */
	if (walker->member.block.type == TYPE_PAX_GLOBAL)
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
		return broken(walker, "the entry's size is impossible", err);
	walker->body = (uint64_t)size;
	walker->padding = tar_padding(walker->body);
	walker->state = STATE_BODY;
	return walker->body == 0 ? end_body(walker, err) : 0;
}

static void mark_begin(struct tar_walker *walker)
{
	if (!walker->pending)
		walker->begin = walker->header_offset;
}

static int begin_meta(struct tar_walker *walker, struct buf *text,
    struct err *err)
{
	buf_reset(text);
	if (walker->member.block.size > (int64_t)text->limit)
		return broken(walker, "the entry's name or header is too long",
		    err);
	mark_begin(walker);
	walker->pending = true;
	walker->meta = text;
	return begin_body(walker, walker->member.block.size, err);
}

static int announce(struct tar_walker *walker, struct err *err)
{
	struct tar_entry entry = member_entry(&walker->member);

	entry.offset = walker->offset;
	entry.begin = walker->begin;
	entry.is_plain = !walker->is_odd;
	return walker->handler.entry(walker->handler.arg, &entry, err);
}

/* All that is in front of the entry's data was read. */
static int begin_entry(struct tar_walker *walker, struct err *err)
{
	const struct member *member = &walker->member;
	int r = begin_body(walker, member_body_size(member), err);

	if (r < 0)
		return r;
	if (member_check(member, err) < 0)
		return at_header(walker, err);
	walker->is_data = member_has_data(member);
	if (member_is_entry(member))
		r = announce(walker, err);
	forget_pending(walker);
	return r;
}

/* Takes the entry's header, or what follows it of a sparse file's map. */
static int add_to_entry(struct tar_walker *walker, struct err *err)
{
	int r;

	if (walker->state == STATE_HEADER)
		mark_begin(walker);
	r = walker->state == STATE_HEADER
		? member_begin(&walker->member, walker->data, err)
		: member_add_map(&walker->member, walker->data, err);

	if (r < 0)
		return at_header(walker, err);
	if (r == 0)
		return begin_entry(walker, err);
	walker->state = STATE_MAP;
	return 0;
}

/* Go's archive/tar, and all of what unpacks with it: umoci knows no global
 * headers, as git's archives have. */
static bool is_usual(char type)
{
	return type == TYPE_OLD_FILE ||
	       (type >= TAR_FILE && type <= TAR_FIFO) || type == TYPE_PAX ||
	       type == TYPE_GNU_LONG_NAME || type == TYPE_GNU_LONG_LINK;
}

static int end_header(struct tar_walker *walker, struct err *err)
{
	struct member *member = &walker->member;

	walker->header_offset = walker->offset - TAR_BLOCK;
	if (block_is_zero(walker->data)) {
		walker->state = STATE_ZERO;
		return 0;
	}
	if (block_parse(walker->data, &member->block, err) < 0)
		return at_header(walker, err);
	if (!is_usual(member->block.type))
		walker->is_odd = walker->has_odd = true;
	switch (member->block.type) {
	case TYPE_PAX:
	case TYPE_PAX_GLOBAL:
	case TYPE_SOLARIS_PAX:
		return begin_meta(walker, &member->pax_text, err);
	case TYPE_GNU_LONG_NAME:
		return begin_meta(walker, &member->long_name, err);
	case TYPE_GNU_LONG_LINK:
		return begin_meta(walker, &member->long_link, err);
	default:
		return add_to_entry(walker, err);
	}
}

static int end_block(struct tar_walker *walker, struct err *err)
{
	switch (walker->state) {
	case STATE_HEADER:
		return end_header(walker, err);
	case STATE_MAP:
		return add_to_entry(walker, err);
	case STATE_ZERO:
		/* One block of zeros is an end only where the file ends, too:
		 * so Go has it. GNU tar would go on reading here. */
		if (!block_is_zero(walker->data))
			return broken(walker,
			    "zeros are followed by other data", err);
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
	if (walker->is_data && walker->handler.data)
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
	if (walker->state == STATE_END)
		return true;
	return (walker->state == STATE_HEADER || walker->state == STATE_ZERO) &&
	       walker->data_len == 0 && !walker->pending;
}

bool tar_walker_is_plain(const struct tar_walker *walker)
{
	return !walker->has_odd;
}

enum tar_lack tar_walker_lacks(const struct tar_walker *walker)
{
	switch (walker->state) {
	case STATE_HEADER:
	case STATE_ZERO:
		return walker->data_len > 0 ? TAR_LACKS_HEADER
					    : TAR_LACKS_NOTHING;
	case STATE_BODY:
		if (walker->body == 0)
			return TAR_LACKS_NOTHING;
		return walker->is_data && !walker->meta ? TAR_LACKS_DATA
							: TAR_LACKS_HEADER;
	case STATE_MAP:
		return TAR_LACKS_HEADER;
	case STATE_END:
		break;
	}
	return TAR_LACKS_NOTHING;
}
