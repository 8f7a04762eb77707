/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads an image archive while it is being written, to find out what is in it
 * and where it ends. It is told by its content what it is: a tar, plain or
 * compressed (the decoded tar then goes to a temporary file).
 *
 * The end is found by following the tar's headers, and for a compressed archive
 * also the compressed stream's own end: zeros in a layer are no end, nor is a
 * part that a first writer leaves for a second one to continue.
 */
#ifndef ARCHIVE_READER_H
#define ARCHIVE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "tar/format.h"

/* A regular file of the archive, and where its bytes are in the plain tar. */
struct archive_entry {
	const char *name; /* normalised: no leading "./" or "/" */
	uint64_t offset;
	uint64_t size;
};

struct archive_reader;

struct archive_reader_options {
	int fd;               /* the archive's bytes as written: borrowed */
	const char *temp_dir; /* for a decoded tar */
	/*
	 * Called from archive_reader_feed() for an entry that can only be a
	 * layer, by its place in a docker archive or an OCI layout (HEX.tar,
	 * HEX/layer.tar, blobs/ALGORITHM/HEX) and its first bytes (a tar, or
	 * something compressed), as soon as those are there: work on it can
	 * begin. NULL: nobody wants to know.
	 */
	void (*layer)(void *arg, const struct archive_entry *entry);
	/* Called from there for each entry of the archive's tar; or NULL. */
	void (*entry)(void *arg, const struct tar_entry *entry);
	void *arg;
};

/* *out is the caller's, for one thread at a time. The options are copied; what
 * they point to is borrowed and outlives it. -ENOMEM. */
int archive_reader_new(const struct archive_reader_options *options,
    struct archive_reader **out, struct err *err);

/*
 * Takes the next bytes of the archive, in order from its start; they are in
 * options.fd already. 1 once the archive is complete (more zeros may follow),
 * else 0. -EINVAL: no archive, a broken one, or something after its end;
 * -ENOSPC, -EFBIG. A failure is final.
 */
int archive_reader_feed(struct archive_reader *reader, const void *data,
    size_t len, struct err *err);

/*
 * Nothing follows for now, or (is_last) ever: 1 if what came is complete, 0 if
 * nothing came at all, else -EINVAL with a sentence.
 *
 * A tar without an end marker that stands between two entries is complete if
 * one of them is an image's manifest, or if nothing ever follows and no entry
 * is a part of an image; else it may go on, which is 0, too.
 */
int archive_reader_end(struct archive_reader *reader, bool is_last,
    struct err *err);

/*
 * In the place of both, for a plain tar that is in options.fd whole, of which
 * size bytes are there: of its files no byte is read. Nobody is told of layers.
 * 0; -EINVAL as those, and for a compressed archive.
 */
int archive_reader_skim(struct archive_reader *reader, uint64_t size,
    struct err *err);

/* The plain tar: the descriptor (borrowed) and how many bytes of it are there,
 * without what is after its end. The size may be asked for from any thread. */
int archive_reader_fd(const struct archive_reader *reader);
uint64_t archive_reader_size(const struct archive_reader *reader);

/*
 * Looks for these names in the whole archive once more, with where links of
 * them lead, so that archive_reader_find() knows them: what belongs to an image
 * is known by where it lies, but a manifest can name anything.
 */
int archive_reader_look_for(struct archive_reader *reader,
    const char *const *names, size_t count, struct err *err);

/* Whether files of it have names that only parts of images have. */
bool archive_reader_has_blobs(const struct archive_reader *reader);

/* Whether the types of all that is in it are Go's (struct tar_entry). */
bool archive_reader_is_plain(const struct archive_reader *reader);

/*
 * An entry by its name, following symbolic and hard links within the archive
 * (docker writes duplicate layers as links); the last of that name wins. False
 * if there is none.
 */
bool archive_reader_find(const struct archive_reader *reader, const char *name,
    struct archive_entry *out);

/* Frees it and the decoded tar; options.fd stays open. NULL does nothing. */
void archive_reader_free(struct archive_reader *reader);

DEFINE_CLEANUP(struct archive_reader *, archive_reader_free);

#endif
