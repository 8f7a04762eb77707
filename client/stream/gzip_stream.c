/* SPDX-License-Identifier: Apache-2.0 */
/* A gzip member that is written as its bytes come, by igzip. */
#include <isa-l.h>
#include <stdbool.h>
#include <stdlib.h>

#include "stream/encoder.h"

enum { LEVEL = 3, BUFFER_SIZE = ISAL_DEF_LVL3_DEFAULT, OUT_SIZE = 64 << 10 };

struct gzip_stream {
	struct sink *sink;
	struct isal_zstream zstream;
	uint8_t buffer[BUFFER_SIZE];
	uint8_t out[OUT_SIZE];
};

int gzip_stream_new(struct sink *out, struct gzip_stream **stream,
    struct err *err)
{
	struct gzip_stream *created = malloc(sizeof(*created));

	if (!created)
		return err_nomem(err);
	created->sink = out;
	isal_deflate_init(&created->zstream);
	created->zstream.level = LEVEL;
	created->zstream.level_buf = created->buffer;
	created->zstream.level_buf_size = sizeof(created->buffer);
	created->zstream.gzip_flag = IGZIP_GZIP;
	*stream = created;
	return 0;
}

void gzip_stream_free(struct gzip_stream *stream)
{
	free(stream);
}

/* Compresses what there is to compress, and writes what that gives. */
static int drain(struct gzip_stream *stream, struct err *err)
{
	struct isal_zstream *zstream = &stream->zstream;
	int r = 0;

	do {
		zstream->next_out = stream->out;
		zstream->avail_out = sizeof(stream->out);
		/* It has no error that is not the caller's. */
		isal_deflate(zstream);
		if (zstream->avail_out < sizeof(stream->out))
			r = sink_write(stream->sink, stream->out,
			    sizeof(stream->out) - zstream->avail_out, err);
	} while (r == 0 && zstream->avail_out == 0);
	return r;
}

int gzip_stream_write(struct gzip_stream *stream, const void *data, size_t len,
    struct err *err)
{
	stream->zstream.next_in = (uint8_t *)(uintptr_t)data;
	stream->zstream.avail_in = (uint32_t)len;
	return drain(stream, err);
}

int gzip_stream_finish(struct gzip_stream *stream, struct err *err)
{
	stream->zstream.avail_in = 0;
	stream->zstream.end_of_stream = 1;
	return drain(stream, err);
}
