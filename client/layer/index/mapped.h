/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are mapped: written once, compared with their checksum when they
 * are opened, then read where they are. A file that is not whole, that has
 * rotted, or that another version wrote is noticed, and made again by those who
 * need it.
 *
 * The file can be damaged later, too: others can write to it, and a page that
 * comes from the disk once more may come wrong. So what is read is a copy, out
 * of bounds nothing is read, and those who read compare what they got with
 * checksums in it (records.h). One that is damaged can be replaced while it is
 * read.
 *
 * Usable from any thread.
 */
#ifndef LAYER_MAPPED_H
#define LAYER_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

/* The name of a format with its version, without a NUL: the last two
 * characters are the version. */
enum { MAPPED_MAGIC_SIZE = 8, MAPPED_NAME_SIZE = 6 };

struct mapped;

/* Takes fd, also on failure. -EBADMSG where the content is not what was
 * written, -ESTALE where another version wrote it. */
int mapped_open(int fd, const char magic[MAPPED_MAGIC_SIZE],
    struct mapped **out, struct err *err);
void mapped_close(struct mapped *mapped);

DEFINE_CLEANUP(struct mapped *, mapped_close);

/* The checksum of the content, and how much of it there is. */
uint64_t mapped_id(const struct mapped *mapped);
size_t mapped_size(const struct mapped *mapped);

/* Whether that is the file that is mapped now. */
bool mapped_is(const struct mapped *mapped, int fd);

/*
 * Copies what is there: false where it is out of bounds. mapped_text() copies a
 * text with its NUL, which is within room bytes. mapped_at() is for those who
 * copy it at once, and read nothing else of it: NULL where it is out of bounds.
 */
bool mapped_copy(const struct mapped *mapped, uint64_t at, void *out,
    size_t size);
bool mapped_text(const struct mapped *mapped, uint64_t at, char *out,
    size_t room);
const void *mapped_at(const struct mapped *mapped, uint64_t at, size_t size);

/* Somebody has read what was never written. It stays so until the file is
 * replaced. */
void mapped_set_damaged(struct mapped *mapped);
bool mapped_is_damaged(const struct mapped *mapped);

/* From now on another file (taken) with the same content is read. Not from two
 * threads at once. */
void mapped_replace(struct mapped *mapped, struct mapped *fresh);

/*
 * A new file, written from its start to its end:
 *
 *	mapped_begin(&writer, fd, magic);
 *	for each piece: mapped_add(…) as often as it has parts, mapped_align(…);
 *	mapped_end(&writer, err);
 *
 * Until then the file cannot be opened.
 */
struct mapped_writer {
	int fd;
	const char *magic;
	uint64_t size, crc; /* of what was added */
};

/* fd (borrowed) is an empty file's. */
void mapped_begin(struct mapped_writer *writer, int fd,
    const char magic[MAPPED_MAGIC_SIZE]);
int mapped_add(struct mapped_writer *writer, const void *data, size_t size,
    struct err *err);
/* The next piece begins at an aligned place. */
int mapped_align(struct mapped_writer *writer, struct err *err);
int mapped_end(struct mapped_writer *writer, struct err *err);

/* How large the file is, of the pieces' sizes (mapped_aligned()) together. */
uint64_t mapped_file_size(uint64_t pieces);

struct mapped_piece {
	const void *data;
	size_t size;
};

/* Where a piece begins that follows one of that size. */
static inline size_t mapped_aligned(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

/* The same for pieces that are in memory. */
int mapped_write(int fd, const char magic[MAPPED_MAGIC_SIZE],
    const struct mapped_piece *pieces, size_t count, struct err *err);

#endif
