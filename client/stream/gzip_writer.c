/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compresses to gzip in several threads. The input is cut into members of one
 * size; a ring holds those under way. Jobs of the pool compress, each one
 * member and waiting for nothing; the thread that writes collects the results
 * in order, so that writers which share a pool cannot lock each other up.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/file.h"
#include "base/lock.h"
#include "deflater.h"
#include "stream/compression.h"

/* Members of 512 KiB cost 0.2 percent against 1 MiB, and half the memory. */
enum { MEMBER_SIZE = 512 << 10 };

/* A member on its way through the ring. */
struct member {
	struct gzip_writer *writer;
	struct deflater *deflater;
	uint8_t *in, *out;
	size_t in_len, out_len;
	bool done; /* under the writer's lock: out is there */
};

struct gzip_writer {
	struct pool *pool;
	int fd;
	struct hasher *hasher;
	uint64_t written;
	bool any; /* a member went out: a gzip file has at least one */

	pthread_mutex_t lock; /* of each member's `done` */
	pthread_cond_t done;

	/* The ring: `busy` members from `first` on are with the pool, the one
	 * behind them is being filled. */
	unsigned first, busy, count;
	struct member members[];
};

static int member_init(struct member *member, struct gzip_writer *writer,
    struct err *err)
{
	member->writer = writer;
	member->in = malloc(MEMBER_SIZE);
	member->out = malloc(deflater_bound(MEMBER_SIZE));
	if (!member->in || !member->out)
		return err_nomem(err);
	return deflater_new(&member->deflater, err);
}

int gzip_writer_new(struct pool *pool, unsigned parallel, int fd,
    struct gzip_writer **out, struct err *err)
{
	/* One is filled while `parallel` are compressed. */
	unsigned count = parallel + 1;
	CLEANUP(gzip_writer_free_p)
	struct gzip_writer *writer =
	    calloc(1, sizeof(*writer) + count * sizeof(writer->members[0]));

	if (!writer)
		return err_nomem(err);
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->done, NULL);
	writer->pool = pool;
	writer->fd = fd;
	writer->count = count;
	writer->hasher = hasher_new(DIGEST_SHA256, err);
	if (!writer->hasher)
		return -err->code;
	for (unsigned i = 0; i < count; i++)
		if (member_init(&writer->members[i], writer, err) < 0)
			return -err->code;
	*out = steal(&writer);
	return 0;
}

/* A job of the pool. */
static void compress_member(void *arg)
{
	struct member *member = arg;
	struct gzip_writer *writer = member->writer;

	member->out_len = deflater_gzip(member->deflater, member->in,
	    member->in_len, member->out);
	SCOPED_LOCK(&writer->lock);
	member->done = true;
	pthread_cond_signal(&writer->done);
}

static struct member *oldest(struct gzip_writer *writer)
{
	return &writer->members[writer->first];
}

static struct member *filling(struct gzip_writer *writer)
{
	return &writer->members[(writer->first + writer->busy) % writer->count];
}

static bool oldest_done(struct gzip_writer *writer)
{
	SCOPED_LOCK(&writer->lock);
	return writer->busy > 0 && oldest(writer)->done;
}

static void wait_for_oldest(struct gzip_writer *writer)
{
	SCOPED_LOCK(&writer->lock);
	while (!oldest(writer)->done)
		pthread_cond_wait(&writer->done, &writer->lock);
}

/* Takes the oldest out of the ring, which is done, and writes it. */
static int write_oldest(struct gzip_writer *writer, struct err *err)
{
	struct member *member = oldest(writer);
	int r;

	writer->first = (writer->first + 1) % writer->count;
	writer->busy--;
	member->in_len = 0;
	r = hasher_update(writer->hasher, member->out, member->out_len, err);
	if (r < 0)
		return r;
	r = file_pwrite(writer->fd, member->out, member->out_len,
	    writer->written, err);
	if (r < 0)
		return r;
	writer->written += member->out_len;
	return 0;
}

/* Writes what is done, and waits until at most `busy` members are not. */
static int collect(struct gzip_writer *writer, unsigned busy, struct err *err)
{
	while (writer->busy > busy || oldest_done(writer)) {
		int r;

		wait_for_oldest(writer);
		r = write_oldest(writer, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int submit(struct gzip_writer *writer, struct err *err)
{
	struct member *member = filling(writer);
	int r;

	member->done = false; /* nobody else has it yet */
	r = pool_submit(writer->pool, compress_member, member, err);
	if (r < 0)
		return r;
	writer->busy++;
	writer->any = true;
	return collect(writer, writer->count - 1, err);
}

int gzip_writer_write(struct gzip_writer *writer, const void *data, size_t len,
    struct err *err)
{
	const uint8_t *bytes = data;

	while (len > 0) {
		struct member *member = filling(writer);
		size_t room = MEMBER_SIZE - member->in_len;
		size_t n = len < room ? len : room;
		int r;

		memcpy(member->in + member->in_len, bytes, n);
		member->in_len += n;
		bytes += n;
		len -= n;
		if (n < room)
			break;
		r = submit(writer, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int gzip_writer_finish(struct gzip_writer *writer, struct digest *digest,
    uint64_t *size, struct err *err)
{
	int r = 0;

	if (filling(writer)->in_len > 0 || !writer->any)
		r = submit(writer, err);
	if (r == 0)
		r = collect(writer, 0, err);
	if (r == 0)
		r = hasher_finish(writer->hasher, digest, err);
	if (r == 0)
		*size = writer->written;
	return r;
}

static void member_release(struct member *member)
{
	deflater_free(member->deflater);
	free(member->in);
	free(member->out);
}

void gzip_writer_free(struct gzip_writer *writer)
{
	if (!writer)
		return;
	for (; writer->busy > 0; writer->busy--) {
		wait_for_oldest(writer);
		writer->first = (writer->first + 1) % writer->count;
	}
	for (unsigned i = 0; i < writer->count; i++)
		member_release(&writer->members[i]);
	hasher_free(writer->hasher);
	pthread_cond_destroy(&writer->done);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}
