/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are mapped. */
#include "mapped.h"

#include <errno.h>
#include <isa-l.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/simd.h"
#include "guard.h"

struct mapped_header {
	char magic[MAPPED_MAGIC_SIZE];
	uint64_t size; /* of what follows */
	uint64_t crc;  /* and its CRC-64 */
};

/* One file where it is mapped. */
struct mapping {
	uint8_t *file;
	size_t size; /* of all of it */
	dev_t device;
	ino_t inode;
	struct guard *guard;
	struct mapping *replaced; /* that others may still be reading */
};

struct mapped {
	struct mapping *_Atomic now;
	size_t size; /* of the content */
	uint64_t crc;
	atomic_bool damaged;
};

static uint64_t add_crc(uint64_t crc, const void *data, size_t size)
{
	/* It takes no pointer to const, and changes nothing. */
	crc = crc64_ecma_refl(crc, (void *)(uintptr_t)data, size);
	simd_clear();
	return crc;
}

static int not_whole(struct err *err)
{
	return err_set(err, EBADMSG, "a file in the cache is damaged");
}

static int check_magic(const char *magic, const char *wanted, struct err *err)
{
	if (memcmp(magic, wanted, MAPPED_NAME_SIZE) != 0)
		return not_whole(err);
	if (memcmp(magic, wanted, MAPPED_MAGIC_SIZE) != 0)
		return err_set(err, ESTALE,
		    "a file in the cache has another version");
	return 0;
}

static int check(struct mapped *mapped, const char *magic, struct err *err)
{
	const struct mapping *mapping = mapped->now;
	struct mapped_header header;
	int r;

	memcpy(&header, mapping->file, sizeof(header));
	r = check_magic(header.magic, magic, err);
	if (r < 0)
		return r;
	mapped->size = mapping->size - sizeof(header);
	mapped->crc = header.crc;
	if (header.size != mapped->size)
		return not_whole(err);
	return add_crc(0, mapping->file + sizeof(header), mapped->size) ==
		       header.crc
		   ? 0
		   : not_whole(err);
}

static void mapping_free(struct mapping *mapping)
{
	guard_remove(mapping->guard);
	munmap(mapping->file, mapping->size);
	free(mapping);
}

static int map(int fd, const struct stat *st, struct mapping **out,
    struct err *err)
{
	struct mapping *mapping = calloc(1, sizeof(*mapping));

	if (!mapping)
		return err_nomem(err);
	mapping->device = st->st_dev;
	mapping->inode = st->st_ino;
	mapping->size = (size_t)st->st_size;
	mapping->file =
	    mmap(NULL, mapping->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (mapping->file == MAP_FAILED) {
		free(mapping);
		return err_sys(err, "cannot map a file of the cache");
	}
	mapping->guard = guard_add(mapping->file, mapping->size);
	if (!mapping->guard) {
		mapping_free(mapping);
		return err_nomem(err);
	}
	*out = mapping;
	return 0;
}

int mapped_open(int fd, const char magic[MAPPED_MAGIC_SIZE],
    struct mapped **out, struct err *err)
{
	AUTO_FD int owned = fd;
	CLEANUP(mapped_close_p)
	struct mapped *mapped = calloc(1, sizeof(*mapped));
	struct mapping *mapping = NULL;
	struct stat st;
	int r;

	if (!mapped)
		return err_nomem(err);
	if (fstat(owned, &st) < 0)
		return err_sys(err, "cannot examine a file of the cache");
	if (!S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size < sizeof(struct mapped_header))
		return not_whole(err);
	r = map(owned, &st, &mapping, err);
	if (r < 0)
		return r;
	mapped->now = mapping;
	r = check(mapped, magic, err);
	if (r == 0)
		*out = steal(&mapped);
	return r;
}

void mapped_close(struct mapped *mapped)
{
	struct mapping *mapping = mapped->now;

	while (mapping) {
		struct mapping *replaced = mapping->replaced;

		mapping_free(mapping);
		mapping = replaced;
	}
	free(mapped);
}

uint64_t mapped_id(const struct mapped *mapped)
{
	return mapped->crc;
}

size_t mapped_size(const struct mapped *mapped)
{
	return mapped->size;
}

bool mapped_is(const struct mapped *mapped, int fd)
{
	const struct mapping *mapping = mapped->now;
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == mapping->device &&
	       st.st_ino == mapping->inode;
}

const void *mapped_at(const struct mapped *mapped, uint64_t at, size_t size)
{
	const struct mapping *mapping = mapped->now;

	if (at > mapped->size || size > mapped->size - at)
		return NULL;
	return mapping->file + sizeof(struct mapped_header) + at;
}

bool mapped_copy(const struct mapped *mapped, uint64_t at, void *out,
    size_t size)
{
	const void *data = mapped_at(mapped, at, size);

	if (data)
		memcpy(out, data, size);
	return data != NULL;
}

bool mapped_text(const struct mapped *mapped, uint64_t at, char *out,
    size_t room)
{
	const char *data = mapped_at(mapped, at, 0);
	size_t len;

	if (!data)
		return false;
	if (room > mapped->size - at)
		room = mapped->size - at;
	len = strnlen(data, room);
	if (len == room)
		return false;
	memcpy(out, data, len);
	out[len] = '\0';
	return true;
}

void mapped_set_damaged(struct mapped *mapped)
{
	atomic_store(&mapped->damaged, true);
}

bool mapped_is_damaged(const struct mapped *mapped)
{
	return atomic_load(&mapped->damaged);
}

void mapped_replace(struct mapped *mapped, struct mapped *fresh)
{
	struct mapping *mapping = fresh->now;

	fresh->now = NULL;
	mapping->replaced = mapped->now;
	mapped->now = mapping;
	atomic_store(&mapped->damaged, false);
	mapped_close(fresh);
}

void mapped_begin(struct mapped_writer *writer, int fd,
    const char magic[MAPPED_MAGIC_SIZE])
{
	*writer = (struct mapped_writer){.fd = fd, .magic = magic};
}

int mapped_add(struct mapped_writer *writer, const void *data, size_t size,
    struct err *err)
{
	uint64_t at = sizeof(struct mapped_header) + writer->size;

	if (size == 0)
		return 0;
	writer->crc = add_crc(writer->crc, data, size);
	writer->size += size;
	return file_pwrite(writer->fd, data, size, at, err);
}

int mapped_align(struct mapped_writer *writer, struct err *err)
{
	static const uint8_t zeros[8];

	return mapped_add(writer, zeros,
	    mapped_aligned(writer->size) - writer->size, err);
}

int mapped_end(struct mapped_writer *writer, struct err *err)
{
	struct mapped_header header = {.size = writer->size,
	    .crc = writer->crc};

	memcpy(header.magic, writer->magic, MAPPED_MAGIC_SIZE);
	/* Last: a file without it is not opened. */
	return file_pwrite(writer->fd, &header, sizeof(header), 0, err);
}

uint64_t mapped_file_size(uint64_t pieces)
{
	return sizeof(struct mapped_header) + pieces;
}

int mapped_write(int fd, const char magic[MAPPED_MAGIC_SIZE],
    const struct mapped_piece *pieces, size_t count, struct err *err)
{
	struct mapped_writer writer;
	int r = 0;

	mapped_begin(&writer, fd, magic);
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = mapped_add(&writer, pieces[i].data, pieces[i].size, err);
		if (r == 0)
			r = mapped_align(&writer, err);
	}
	return r < 0 ? r : mapped_end(&writer, err);
}
