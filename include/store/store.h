/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local blob store: content-addressed files under one directory, which any
 * number of mounts may share. A blob is fetched once however many readers ask,
 * can be read while it arrives, is hashed as it arrives, and gets its name only
 * when the digest was right. The directory's size is bounded; what was least
 * recently used goes first, never what somebody has open. What the disk cannot
 * keep is read all the same.
 *
 *	DIR/blobs/sha256/AB/ABCD…	whole, verified blobs
 *	DIR/partial/ABCD…		what has arrived of others; locked by
 *					the process that fetches it
 *	DIR/parts/ABCD…			parts of others, with holes between
 *					them (store/parts.h)
 *	DIR/derived/NAME		files that were made from blobs
 *	DIR/derived.lock		locked, a byte a name, by who makes one
 *	DIR/notes/KIND/KEY		small facts worth keeping
 *	DIR/spool/			unnamed temporary files
 *	DIR/private/NAME/		files of one process, which locks it
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "oci/digest.h"
#include "stream/sink.h"

/*
 * No function of the store returns -ENOENT, but where that is said: it would
 * reach a program as if the name did not exist that it asked for. A blob that
 * none of its sources has is -ENOLINK, and a file of the store that cannot be
 * found or made where it belongs is -EIO.
 */

struct store;
struct blob;

struct store_options {
	const char *dir;  /* made, 0700, if it is not there */
	uint64_t limit;   /* bytes kept, of blobs and what is made of them */
	unsigned fetches; /* of large blobs at the same time; not 0 */
};

/*
 * -EPERM if others could write what is in the directory. Threads start here:
 * after a fork() into the background, not before.
 */
int store_open(const struct store_options *options, struct store **out,
    struct err *err);

/* Ends the fetches under way (the caller has made their source fail) and
 * frees. No blob is open any more. */
void store_close(struct store *store);

DEFINE_CLEANUP(struct store *, store_close);

/* Where a blob's bytes come from. */
struct store_source {
	/*
	 * Writes len bytes of the blob from offset on to sink, or with 0 all to
	 * the blob's end. On a failure what was written stays, and it is called
	 * again from there (a few times without progress, then the failure is
	 * the readers'). -ENOENT says that it does not have the blob; it is not
	 * asked again for the same read. Called in threads of the store, in
	 * several at once.
	 */
	int (*fetch)(void *arg, const struct digest *digest, uint64_t offset,
	    uint64_t len, struct sink *sink, struct err *err);
	/* Or NULL: is told that bytes which came were not the blob's. Whether
	 * it would get them from elsewhere the next time. */
	bool (*wrong)(void *arg, const struct digest *digest);
	void (*release)(void *arg); /* when it is not needed any more */
	void *arg;
	/* Whether two with this function are the same source; NULL: nobody
	 * knows. */
	bool (*same)(const void *arg, const void *other);
	/*
	 * Or NULL: opens a file that has the blob's bytes. It is read where it
	 * lies: hashed once for as long as the blob is open, and not copied.
	 * The descriptor, or -errno: then fetch() is called.
	 */
	int (*open)(void *arg, const struct digest *digest, uint64_t size,
	    struct err *err);
};

/*
 * The blob of that digest and size. Fetches nothing: the first read does. The
 * source is taken, also on failure; where several came for one blob, the next
 * is asked when one fails. To be given back with blob_put().
 *
 * -EBADMSG where the digest cannot be of that size (digest_check_size()): what
 * has no bytes is never read, and so never verified.
 *
 * A fetch that nobody waits for any more goes on if half of it is done, else
 * stops; the next one continues where it stood.
 */
int store_get(struct store *store, const struct digest *digest, uint64_t size,
    const struct store_source *source, struct blob **out, struct err *err);
void blob_put(struct blob *blob);

DEFINE_CLEANUP(struct blob *, blob_put);

/* The blob's size in bytes, as it was asked for. */
uint64_t blob_size(const struct blob *blob);

/*
 * Reads at off, waiting until the bytes are there; short only at the blob's
 * end. What reaches the end waits until the digest is right. -EBADMSG with both
 * digests when it is not (nothing of it is served or kept any more), -EINTR, or
 * what the source failed with; a later read tries again. Who was
 * served early bytes of a transfer that turned out wrong gets -EBADMSG once,
 * also where the blob has come right meanwhile.
 *
 * What is read of a whole blob is compared with checksums that were taken when
 * its digest was right, once for as long as the blob is open. One that is
 * damaged is fetched again, and the read goes on.
 *
 * Where the disk cannot keep the blob, it is served all the same. It comes
 * once, to be verified, as slowly as it is read in order; from then on what is
 * read is fetched again, and compared with digests of its blocks: -EILSEQ where
 * the source gives other bytes than before.
 */
ssize_t blob_read(struct blob *blob, void *data, size_t len, uint64_t off,
    struct err *err);

/* The same, but nothing is served before the digest is right. */
ssize_t blob_read_verified(struct blob *blob, void *data, size_t len,
    uint64_t off, struct err *err);

/* Bytes held locally, and whether they are the whole, verified blob. */
uint64_t blob_cached(struct blob *blob);
bool blob_verified(struct blob *blob);

/*
 * For who keeps what was read: each file that a blob's bytes come from has a
 * number, and it gets another file when its bytes were wrong or are fetched
 * again. The number of the file that there is now (0: none yet), and that of
 * the file whose bytes this handle was served without their being verified
 * since (0: none).
 */
uint64_t blob_epoch(struct blob *blob);
uint64_t blob_unverified(struct blob *blob);

/*
 * Reads a whole small blob into out: 1, or 0 where the store does not have it.
 * The digest is checked again; a damaged file is dropped and is 0.
 */
int store_load(struct store *store, const struct digest *digest,
    struct buf *out, struct err *err);

/* Keeps a small blob whose digest the caller has just computed. */
int store_save(struct store *store, const struct digest *digest,
    const void *data, size_t len, struct err *err);

/* Forgets the whole blob of that digest, which was found to be damaged: the
 * next one who asks for it fetches it. */
void store_drop(struct store *store, const struct digest *digest);

/* An unnamed temporary file on the store's file system, or -errno. */
int store_temp(struct store *store, struct err *err);

/* Whether there may be room for so many bytes more: whether it is worth to
 * fetch a blob that nobody reads yet. */
bool store_can_keep(struct store *store, uint64_t size);

/* The store's own directory, for messages. */
const char *store_dir(const struct store *store);

/*
 * One that fill() writes, at most size bytes of it: on the disk, or where that
 * cannot be in memory, which is bounded; fill() is called again then, with
 * another file. The descriptor, what fill() failed with, or -ENOSPC with a
 * sentence on what to do.
 */
int store_temp_filled(struct store *store, uint64_t size,
    int (*fill)(void *arg, int fd, struct err *err), void *arg,
    struct err *err);

/* The directory of those files, for who makes one when it is needed: a new
 * string, or NULL with err filled. It may not be there, if the disk cannot be
 * written. */
char *store_temp_dir(struct store *store, struct err *err);

/* Gives a store_temp() file its name as the blob of a digest that the caller
 * has computed over its first size bytes; what follows them is the store's
 * from now on. Waits for the disk. fd stays the caller's, to be read. */
int store_adopt(struct store *store, int fd, uint64_t size,
    const struct digest *digest, struct err *err);

/*
 * Notes: small texts under a kind and a key (letters, digits and "-_." only),
 * replaced whole. store_note() appends the text to out: 1, or 0 if there is
 * none.
 */
int store_note(struct store *store, const char *kind, const char *key,
    struct buf *out, struct err *err);
int store_note_put(struct store *store, const char *kind, const char *key,
    const char *text, struct err *err);
/* Adds to the end of a note, made if it is not there; what several processes
 * add at the same time is all there. Its size then, or -errno. */
int64_t store_note_add(struct store *store, const char *kind, const char *key,
    const char *text, struct err *err);

/*
 * Files that are derived from blobs: what took a pass over all of one, such as
 * an index of its content. Named as notes are, replaced whole, evicted only
 * after all that nobody uses of blobs. After a crash of the machine one may be
 * torn: the one who opens it compares it with a checksum of its own.
 *
 * Opens one for reading: the descriptor, or -ENOENT where it cannot be. While
 * it is open eviction leaves it alone.
 */
int store_derived_open(struct store *store, const char *name, struct err *err);

/* Names a store_temp() file so; readers of the old one keep it. fd stays the
 * caller's, and is only read from now on. A failure is logged here, as all that
 * is not kept because of the disk: what is in the file can be used. */
int store_derived_put(struct store *store, int fd, const char *name,
    struct err *err);

/* Removes it: it was damaged. */
void store_derived_drop(struct store *store, const char *name);

/*
 * For who makes one: waits until no other thread or process has the lock of
 * that name. It goes with the descriptor that is returned. -EINTR.
 */
int store_derived_lock(struct store *store, const char *name, struct err *err);

/*
 * A directory for files of the caller's own, which can have any name there. It
 * is not counted and not evicted, and goes, with the files in it, when it is
 * freed; where the process dies before, somebody who opens the store removes
 * it.
 */
struct store_private;

/* A new directory, the caller's. Errors as store_open(). The path is borrowed
 * from it. Freed, it is removed; NULL does nothing. */
int store_private_new(struct store *store, struct store_private **out,
    struct err *err);
const char *store_private_path(const struct store_private *private);
void store_private_free(struct store_private *private);

DEFINE_CLEANUP(struct store_private *, store_private_free);

struct store_stats {
	uint64_t held;       /* bytes on the disk, about */
	uint64_t hits;       /* blobs that were there when asked for */
	uint64_t fetches;    /* transfers begun */
	uint64_t fetched;    /* bytes that sources gave */
	uint64_t mismatches; /* transfers of which digest or size was wrong */
	uint64_t evicted;    /* bytes removed to keep the limit */
};

/* What there is now, and counts since store_open(). From any thread. */
void store_stats(struct store *store, struct store_stats *out);

#endif
