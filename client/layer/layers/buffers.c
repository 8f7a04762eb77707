/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers that are used again. */
#include "buffers.h"

#include "base/lock.h"

enum {
	/* Smaller pieces are well kept by the heap. */
	POOLED_MIN = 64 << 10,
	/* Larger ones are rare. */
	POOLED_MAX = 2 << 20,
	/* Sizes are rounded up to it, so that most fit each other. */
	GRAIN = 256 << 10,
	CLASSES = POOLED_MAX / GRAIN,
	/* Kept unused: so many of one size, and so much of all. */
	SPARE = 4,
	SPARE_BYTES = 4 << 20,
};

struct spare {
	uint8_t *data[SPARE];
	unsigned count;
};

struct buffers {
	pthread_mutex_t lock;
	struct spare spares[CLASSES]; /* under lock, as what follows */
	size_t bytes;                 /* of all spares */
};

struct buffers *buffers_new(void)
{
	struct buffers *buffers = calloc(1, sizeof(*buffers));

	if (buffers)
		pthread_mutex_init(&buffers->lock, NULL);
	return buffers;
}

void buffers_free(struct buffers *buffers)
{
	if (!buffers)
		return;
	for (size_t i = 0; i < CLASSES; i++) {
		while (buffers->spares[i].count > 0)
			free(buffers->spares[i]
				 .data[--buffers->spares[i].count]);
	}
	pthread_mutex_destroy(&buffers->lock);
	free(buffers);
}

/* Which buffers serve that size; NULL: it is none of theirs. */
static struct spare *spare_of(struct buffers *buffers, size_t size)
{
	if (size < POOLED_MIN || size > POOLED_MAX)
		return NULL;
	return &buffers->spares[(size - 1) / GRAIN];
}

static size_t rounded(size_t size)
{
	return (size + GRAIN - 1) / GRAIN * GRAIN;
}

uint8_t *buffers_take(struct buffers *buffers, size_t size)
{
	struct spare *spare = spare_of(buffers, size);

	if (!spare)
		return malloc(size ? size : 1);
	{
		SCOPED_LOCK(&buffers->lock);
		if (spare->count > 0) {
			buffers->bytes -= rounded(size);
			return spare->data[--spare->count];
		}
	}
	return malloc(rounded(size));
}

void buffers_give(struct buffers *buffers, uint8_t *data, size_t size)
{
	struct spare *spare = spare_of(buffers, size);

	if (spare && data) {
		SCOPED_LOCK(&buffers->lock);
		if (spare->count < SPARE &&
		    buffers->bytes + rounded(size) <= SPARE_BYTES) {
			spare->data[spare->count++] = data;
			buffers->bytes += rounded(size);
			return;
		}
	}
	free(data);
}
