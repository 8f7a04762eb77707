/* SPDX-License-Identifier: Apache-2.0 */
/* Tars of files of all kinds, and the blobs that compressors make of them. */
#ifndef TESTS_TARBALL_FIXTURE_H
#define TESTS_TARBALL_FIXTURE_H

#include "stream_samples.h"

#include "tar/header.h"

#define UNUSED __attribute__((unused))

enum {
	TAR_MAX = 64 << 20,
	FILES_MAX = 64,
	SMALL_FILES = 40,
};

/* A file of a tar, as it is to be read. */
struct file {
	char name[32];
	struct buf content;
};

struct tarball {
	struct buf bytes;
	struct file files[FILES_MAX];
	size_t count;
};

void tarball_release(struct tarball *tar);

#define AUTO_TARBALL CLEANUP(tarball_release)

void tar_put(struct tarball *tar, const char *name, const void *data,
    size_t len);

void tar_file(struct tarball *tar, const char *name, const void *data,
    size_t len);

/* Data of a kind (stream_samples.h), `times` PLAIN_SIZE. */
void tar_file_of(struct tarball *tar, const char *name, enum kind kind,
    unsigned times);

void tar_dir(struct tarball *tar, const char *name);

void tar_link(struct tarball *tar, enum tar_type type, const char *name,
    const char *target);

enum { SPARSE_PIECES = 3 };

/* GNU's oldest kind: pieces of noise, each of `piece` bytes, behind holes that
 * are as long as `hole` says, and one hole at the end. */
void tar_sparse(struct tarball *tar, const char *name, size_t piece,
    size_t hole);

void tar_end(struct tarball *tar);

enum packing { PLAIN, GZIP_ONE, GZIP_MANY, ZSTD_ONE, ZSTD_MANY, PACKINGS };

void pack(enum packing packing, const struct buf *in, struct buf *out);

/* A few spans of files. */
void tar_sample(struct tarball *tar);

#endif
