/* SPDX-License-Identifier: Apache-2.0 */
/* An entry of a table of contents, and what the names of its members mean. */
#ifndef LAYER_TOC_ENTRY_H
#define LAYER_TOC_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "oci/digest.h"
#include "tar/walker.h"

/*
 * Members that an entry lacks are zero, "" or unset. Numbers below zero are as
 * a cast has them, larger than any size or offset that makes sense.
 */
struct toc_entry {
	enum tar_type type; /* 0: none */
	bool is_chunk;      /* instead of a type: more of the file before it */
	uint64_t size;
	uint64_t mode, uid, gid, dev_major, dev_minor;
	int64_t mtime;
	uint32_t mtime_nanos;
	const struct tar_xattr *xattrs; /* each name once, sorted by it */
	size_t xattr_count;

	struct digest digest;              /* of the file */
	uint64_t offset, end_offset;       /* in the blob */
	uint64_t inner_offset;             /* in what is decoded from there */
	uint64_t chunk_offset, chunk_size; /* in the file */
	struct digest chunk_digest;
	bool is_zeros;

	char name[TAR_NAME_MAX + 1], link[TAR_NAME_MAX + 1];
};

void toc_entry_reset(struct toc_entry *entry);

/* A name that means something, xattrs excepted, which are no plain value. */
struct toc_member;

/* NULL for one that means nothing. */
const struct toc_member *toc_member_find(const char *name, size_t len);

/* Sets the member to a number or a string as the JSON has it, the latter
 * without its quotes. -EINVAL with a sentence: another type, or no such value.
 */
int toc_member_set_number(const struct toc_member *member,
    struct toc_entry *entry, const char *text, size_t len, struct err *err);
int toc_member_set_text(const struct toc_member *member,
    struct toc_entry *entry, const char *text, size_t len, struct err *err);

/* "a value of the wrong type". Returns -EINVAL. */
int toc_member_wrong_type(const struct toc_member *member, struct err *err);

#endif
