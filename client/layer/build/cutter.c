/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a layer into spans. */
#include "cutter.h"

#include <errno.h>
#include <string.h>

#include "index/limits.h"

static int too_long(struct err *err)
{
	return err_set(err, EOVERFLOW,
	    "a stream that cannot be entered often enough");
}

int cutter_check(const struct cutter *cutter, uint64_t out, struct err *err)
{
	return cutter->started && out - cutter->last.out > SPAN_OUT_MAX
		   ? too_long(err)
		   : 0;
}

/* The digest of a range that has arrived. */
static int hash_range(struct blob *blob, uint64_t off, size_t len,
    uint8_t sha256[32], struct err *err)
{
	AUTO_FREE uint8_t *data = malloc(len ? len : 1);
	struct digest digest;
	ssize_t n;
	int r;

	if (!data)
		return err_nomem(err);
	n = blob_read(blob, data, len, off, err);
	if (n < 0)
		return (int)n;
	r = digest_of(DIGEST_SHA256, data, (size_t)n, &digest, err);
	memcpy(sha256, digest.bytes, 32);
	return r;
}

static int add_span(struct cutter *cutter, const struct checkpoint *end,
    struct err *err)
{
	const struct checkpoint *start = &cutter->last;
	uint64_t in_end = end->in + (end->bits > 0);
	struct layer_span span = {
	    .in = start->in,
	    .out = start->out,
	    .in_len = (uint32_t)(in_end - start->in),
	    .out_len = (uint32_t)(end->out - start->out),
	    .bits = start->bits,
	    .flags = start->at_member ? SPAN_AT_MEMBER : 0,
	};
	int r;

	if (in_end - start->in > SPAN_IN_MAX ||
	    end->out - start->out > SPAN_OUT_MAX)
		return too_long(err);
	r = hash_range(cutter->blob, span.in, span.in_len, span.sha256, err);
	return r < 0 ? r
		     : builder_add_span(cutter->builder, &span, start->window,
			   start->window_len, err);
}

int cutter_cut(struct cutter *cutter, const struct checkpoint *point,
    struct err *err)
{
	int r = 0;

	/* A span without bytes would be no reader's. */
	if (cutter->started && point->out > cutter->last.out)
		r = add_span(cutter, point, err);
	if (r < 0)
		return r;
	cutter->started = true;
	cutter->last = *point;
	cutter->last.window = cutter->window;
	if (point->window_len > 0)
		memcpy(cutter->window, point->window, point->window_len);
	return 0;
}
