/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where bytes go. Streams here are pushed: the producer of bytes writes them to
 * a sink, which may be a decoder with another sink after it. (Bytes come to us:
 * from a program that writes a file, or from the network. A pull interface
 * would need a thread for each.)
 *
 * An implementation embeds the struct as its first member.
 */
#ifndef STREAM_SINK_H
#define STREAM_SINK_H

#include <stddef.h>

#include "base/err.h"

struct sink {
	/* Takes all of data, in order. 0 or -errno; after a failure it is not
	 * called again. */
	int (*write)(struct sink *sink, const void *data, size_t len,
	    struct err *err);
};

/* Calls it: 0 or -errno. */
static inline int sink_write(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	return sink->write(sink, data, len, err);
}

#endif
