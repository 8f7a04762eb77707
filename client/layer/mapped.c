/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are mapped. */
#include "mapped.h"

#include <errno.h>
#include <isa-l.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"

struct header {
	char magic[MAPPED_MAGIC_SIZE];
	uint64_t size; /* of what follows */
	uint64_t crc;  /* and its CRC-64 */
};

static int not_whole(struct err *err)
{
	return err_set(err, EBADMSG, "a file of the cache is damaged or old");
}

static int check(struct mapped *mapped, const char *magic, struct err *err)
{
	const uint8_t *file = mapped->data - sizeof(struct header);
	struct header header;

	memcpy(&header, file, sizeof(header));
	if (memcmp(header.magic, magic, MAPPED_MAGIC_SIZE) != 0 ||
	    header.size != mapped->size)
		return not_whole(err);
	/* ISA-L takes no pointer to const, and changes nothing. */
	if (crc64_ecma_refl(0, mapped->data, mapped->size) != header.crc)
		return not_whole(err);
	mapped->crc = header.crc;
	return 0;
}

int mapped_open(int fd, const char magic[MAPPED_MAGIC_SIZE], struct mapped *out,
    struct err *err)
{
	AUTO_FD int owned = fd;
	struct stat st;
	uint8_t *file;
	int r;

	if (fstat(owned, &st) < 0)
		return err_sys(err, "cannot examine a file of the cache");
	if ((uint64_t)st.st_size < sizeof(struct header))
		return not_whole(err);
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, owned, 0);
	if (file == MAP_FAILED)
		return err_sys(err, "cannot map a file of the cache");
	out->data = file + sizeof(struct header);
	out->size = (size_t)st.st_size - sizeof(struct header);
	r = check(out, magic, err);
	if (r < 0)
		mapped_release(out);
	return r;
}

void mapped_release(struct mapped *mapped)
{
	if (!mapped->data)
		return;
	munmap((void *)(uintptr_t)(mapped->data - sizeof(struct header)),
	    mapped->size + sizeof(struct header));
	mapped->data = NULL;
}

/* Writes and counts data into the header. */
static int put(int fd, struct header *header, const void *data, size_t size,
    struct err *err)
{
	int r =
	    file_pwrite(fd, data, size, sizeof(*header) + header->size, err);

	header->crc = crc64_ecma_refl(header->crc, data, size);
	header->size += size;
	return r;
}

int mapped_write(int fd, const char magic[MAPPED_MAGIC_SIZE],
    const struct mapped_piece *pieces, size_t count, struct err *err)
{
	static const uint8_t zeros[8];
	struct header header = {.size = 0};
	int r = 0;

	memcpy(header.magic, magic, MAPPED_MAGIC_SIZE);
	for (size_t i = 0; r == 0 && i < count; i++) {
		size_t size = pieces[i].size;

		if (size > 0)
			r = put(fd, &header, pieces[i].data, size, err);
		if (r == 0)
			r = put(fd, &header, zeros, mapped_aligned(size) - size,
			    err);
	}
	/* Last: without it the file is none. */
	return r < 0 ? r : file_pwrite(fd, &header, sizeof(header), 0, err);
}
