/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs of which only parts are wanted. What is read and not there is fetched,
 * and kept in a sparse file; where the whole blob is there it is read from
 * that. Nothing that comes from here is verified: the caller compares digests
 * of its own, and where they are wrong says so with parts_drop() and reads
 * again. It has to expect that of bytes that were kept: after a crash, or on a
 * file system without holes, some may be there that never came.
 */
#ifndef STORE_PARTS_H
#define STORE_PARTS_H

#include "store/store.h"

/* What is fetched is rounded out to blocks of so many bytes. */
enum { PARTS_BLOCK = 16 * 1024 };

struct parts;

/*
 * The parts of the blob of that digest and size. Fetches nothing: the first
 * read does. The source is taken, also on failure; where several came for one
 * blob, the next is asked when one fails. To be given back with parts_put().
 * -EFBIG for a blob of more than a tebibyte; -EBADMSG as store_get().
 */
int store_parts(struct store *store, const struct digest *digest, uint64_t size,
    const struct store_source *source, struct parts **out, struct err *err);
void parts_put(struct parts *parts);

DEFINE_CLEANUP(struct parts *, parts_put);

/* The blob's size in bytes. */
uint64_t parts_size(const struct parts *parts);

/*
 * Reads len bytes at off, all of them inside the blob, once they are there.
 * Where some have to be fetched and what follows is not there either, as much
 * of it comes in the same request as ends `window` bytes after off: readers
 * that go on need not ask again. No byte is fetched for two readers at once,
 * and what has arrived can be read while the rest of a window comes. Where the
 * disk cannot keep them that is not promised. -EINTR (the fetch goes on),
 * -EINVAL outside the blob, -EBADMSG where the file was cut, or what the source
 * failed with; a later read tries again.
 */
int parts_read(struct parts *parts, void *data, size_t len, uint64_t off,
    uint64_t window, struct err *err);

/*
 * These bytes were wrong: the next read fetches them again. Where they are from
 * the whole blob that one is removed, and parts are fetched from then on.
 */
void parts_drop(struct parts *parts, uint64_t off, uint64_t len);

/* Bytes held locally. */
uint64_t parts_cached(struct parts *parts);

#endif
