/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums of the blocks of blobs. */
#include "sums.h"

#include <errno.h>
#include <isa-l/crc64.h>
#include <stdatomic.h>
#include <string.h>

#include "base/file.h"

enum { WORD_BITS = 64, FIRST_CAP = 64 };

struct sums {
	uint64_t size; /* bytes added */
	uint64_t *list;
	size_t cap;
	/* One bit a block; NULL: nobody takes note of it. */
	atomic_uint_least64_t *compared;
};

/* As in the file; native byte order. */
struct sums_end {
	char magic[8];
	uint64_t size; /* of the blob */
	uint64_t sum;  /* of the list, and of this without its sum */
};

static const char MAGIC[8] = {'s', 'u', 'm', 's', ' ', '1', '2', '8'};

static uint64_t count_of(uint64_t size)
{
	return size / SUMS_BLOCK + (size % SUMS_BLOCK != 0);
}

static uint64_t sum_of(uint64_t before, const void *data, size_t len)
{
	return crc64_ecma_refl(before, data, len);
}

struct sums *sums_new(struct err *err)
{
	struct sums *sums = calloc(1, sizeof(*sums));

	if (!sums)
		err_nomem(err);
	return sums;
}

void sums_free(struct sums *sums)
{
	if (!sums)
		return;
	free(sums->list);
	free(sums->compared);
	free(sums);
}

/* Room for one more; the size that a manifest claims is no reason for any. */
static int reserve(struct sums *sums, struct err *err)
{
	size_t cap = sums->cap ? 2 * sums->cap : FIRST_CAP;
	uint64_t *list;

	if (count_of(sums->size) < sums->cap)
		return 0;
	list = reallocarray(sums->list, cap, sizeof(*list));
	if (!list)
		return err_nomem(err);
	sums->list = list;
	sums->cap = cap;
	return 0;
}

int sums_add(struct sums *sums, const void *data, size_t len, struct err *err)
{
	const uint8_t *bytes = data;

	while (len > 0) {
		size_t done = sums->size % SUMS_BLOCK;
		size_t now = len < SUMS_BLOCK - done ? len : SUMS_BLOCK - done;
		uint64_t *sum;

		if (done == 0 && reserve(sums, err) < 0)
			return -err->code;
		sum = &sums->list[sums->size / SUMS_BLOCK];
		*sum = sum_of(done ? *sum : 0, bytes, now);
		sums->size += now;
		bytes += now;
		len -= now;
	}
	return 0;
}

/* Reads exactly that much. */
static int read_exactly(int fd, void *data, size_t len, uint64_t off,
    struct err *err)
{
	ssize_t n = file_pread(fd, data, len, off, err);

	if (n < 0)
		return (int)n;
	return (size_t)n == len
		   ? 0
		   : err_set(err, EIO, "the file of a blob became shorter");
}

int sums_of_file(int fd, uint64_t size, struct sums **out, struct err *err)
{
	CLEANUP(sums_free_p) struct sums *sums = sums_new(err);
	AUTO_FREE void *block = malloc(SUMS_BLOCK);

	if (!sums || !block)
		return err_nomem(err);
	while (sums->size < size) {
		uint64_t left = size - sums->size;
		size_t len = left < SUMS_BLOCK ? (size_t)left : SUMS_BLOCK;
		int r = read_exactly(fd, block, len, sums->size, err);

		if (r == 0)
			r = sums_add(sums, block, len, err);
		if (r < 0)
			return r;
	}
	*out = steal(&sums);
	return 0;
}

static size_t list_bytes(uint64_t size)
{
	return (size_t)count_of(size) * sizeof(uint64_t);
}

uint64_t sums_room(uint64_t size)
{
	return list_bytes(size) + sizeof(struct sums_end);
}

static struct sums_end end_of(uint64_t size, const uint64_t *list)
{
	struct sums_end end = {.size = size};

	memcpy(end.magic, MAGIC, sizeof(end.magic));
	end.sum = sum_of(0, list, list_bytes(size));
	end.sum = sum_of(end.sum, &end, offsetof(struct sums_end, sum));
	return end;
}

int sums_write(const struct sums *sums, int fd, struct err *err)
{
	const struct sums_end end = end_of(sums->size, sums->list);
	size_t bytes = list_bytes(sums->size);
	int r = file_pwrite(fd, sums->list, bytes, sums->size, err);

	if (r == 0)
		r = file_pwrite(fd, &end, sizeof(end), sums->size + bytes, err);
	return r < 0 ? err_wrap(err, "the checksums of a blob") : 0;
}

static int load(struct sums *sums, int fd, struct err *err)
{
	struct sums_end end = {.size = 0}, right;
	size_t bytes = list_bytes(sums->size);
	int r = read_exactly(fd, sums->list, bytes, sums->size, err);

	if (r == 0)
		r = read_exactly(fd, &end, sizeof(end), sums->size + bytes,
		    err);
	if (r < 0)
		return r;
	right = end_of(sums->size, sums->list);
	return memcmp(&end, &right, sizeof(end)) == 0;
}

static size_t words_of(const struct sums *sums)
{
	return (size_t)(count_of(sums->size) / WORD_BITS + 1);
}

void sums_note(struct sums *sums)
{
	sums->compared = calloc(words_of(sums), sizeof(*sums->compared));
}

void sums_forget(struct sums *sums)
{
	for (size_t i = 0; sums->compared && i < words_of(sums); i++)
		atomic_store(&sums->compared[i], 0);
}

int sums_load(int fd, uint64_t size, struct sums **out, struct err *err)
{
	CLEANUP(sums_free_p) struct sums *sums = sums_new(err);
	int r;

	if (!sums)
		return -err->code;
	sums->size = size;
	sums->list = malloc(list_bytes(size) + 1);
	if (!sums->list)
		return err_nomem(err);
	sums_note(sums);
	r = load(sums, fd, ERR_IGNORE);
	if (r == 1)
		*out = steal(&sums);
	/* What cannot be read is not there. */
	return r == 1;
}

int sums_blob_size(int fd, uint64_t file_size, uint64_t *out, struct err *err)
{
	struct sums_end end;
	int r;

	*out = file_size;
	if (file_size < sizeof(end))
		return 0;
	r = read_exactly(fd, &end, sizeof(end), file_size - sizeof(end), err);
	if (r == 0 && memcmp(end.magic, MAGIC, sizeof(MAGIC)) == 0 &&
	    end.size < file_size && sums_room(end.size) == file_size - end.size)
		*out = end.size;
	return r;
}

static bool was_compared(const struct sums *sums, uint64_t block)
{
	return sums->compared &&
	       atomic_load(&sums->compared[block / WORD_BITS]) >>
		       (block % WORD_BITS) &
		   1;
}

static int compare(struct sums *sums, uint64_t block, const void *data,
    size_t len, struct err *err)
{
	uint64_t bit = 1ULL << (block % WORD_BITS);

	if (sum_of(0, data, len) != sums->list[block])
		return err_set(err, EBADMSG,
		    "the %zu bytes from %llu on differ from those that were "
		    "written",
		    len, (unsigned long long)block * SUMS_BLOCK);
	if (sums->compared)
		atomic_fetch_or(&sums->compared[block / WORD_BITS], bit);
	return 0;
}

/* Reads from one block, of which that part is wanted. */
static int read_block(struct sums *sums, int fd, uint64_t block, uint8_t *data,
    size_t len, size_t skip, struct err *err)
{
	uint64_t start = block * SUMS_BLOCK;
	uint64_t left = sums->size - start;
	size_t all = left < SUMS_BLOCK ? (size_t)left : SUMS_BLOCK;
	bool whole = len == all;
	AUTO_FREE uint8_t *own = NULL;
	uint8_t *to = data;
	int r;

	if (was_compared(sums, block))
		return read_exactly(fd, data, len, start + skip, err);
	if (!whole)
		to = own = malloc(all);
	if (!to)
		return err_nomem(err);
	r = read_exactly(fd, to, all, start, err);
	if (r == 0)
		r = compare(sums, block, to, all, err);
	if (r == 0 && !whole)
		memcpy(data, own + skip, len);
	return r;
}

int sums_read(struct sums *sums, int fd, void *data, size_t len, uint64_t off,
    struct err *err)
{
	uint8_t *to = data;

	while (len > 0) {
		size_t skip = (size_t)(off % SUMS_BLOCK);
		size_t now = len < SUMS_BLOCK - skip ? len : SUMS_BLOCK - skip;
		int r =
		    read_block(sums, fd, off / SUMS_BLOCK, to, now, skip, err);

		if (r < 0)
			return r;
		to += now;
		off += now;
		len -= now;
	}
	return 0;
}
