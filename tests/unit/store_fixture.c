/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

void content_init(struct content *content, size_t size, unsigned seed)
{
	struct err err = ERR_INIT;
	uint32_t x = seed * 2654435761u + 1;

	content->size = size;
	content->bytes = malloc(size + 1);
	assert_non_null(content->bytes);
	for (size_t i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		content->bytes[i] = (unsigned char)(x >> 24);
	}
	assert_int_equal(digest_of(DIGEST_SHA256, content->bytes, size,
			     &content->digest, &err),
	    0);
}

void content_release(struct content *content)
{
	free(content->bytes);
}

void origin_init(struct origin *origin, const struct content *content)
{
	memset(origin, 0, sizeof(*origin));
	origin->bytes = content->bytes;
	origin->size = content->size;
	origin->break_at = NEVER;
	origin->failure = EIO;
	origin->gate = SIZE_MAX;
	pthread_mutex_init(&origin->lock, NULL);
	pthread_cond_init(&origin->changed, NULL);
}

void origin_open_gate(struct origin *origin, size_t gate)
{
	SCOPED_LOCK(&origin->lock);

	origin->gate = gate;
	pthread_cond_broadcast(&origin->changed);
}

void origin_await_calls(struct origin *origin, unsigned calls)
{
	SCOPED_LOCK(&origin->lock);

	while (origin->calls < calls)
		pthread_cond_wait(&origin->changed, &origin->lock);
}

void origin_await_returns(struct origin *origin, unsigned calls)
{
	SCOPED_LOCK(&origin->lock);

	while (origin->returned < calls)
		pthread_cond_wait(&origin->changed, &origin->lock);
}

static size_t origin_await_gate(struct origin *origin, size_t off)
{
	SCOPED_LOCK(&origin->lock);

	while (origin->gate <= off)
		pthread_cond_wait(&origin->changed, &origin->lock);
	return origin->gate;
}

static void origin_count_call(struct origin *origin, uint64_t offset,
    uint64_t len)
{
	SCOPED_LOCK(&origin->lock);

	if (origin->calls < CALLS_MAX) {
		origin->offsets[origin->calls] = offset;
		origin->lens[origin->calls] = len;
	}
	origin->calls++;
	pthread_cond_broadcast(&origin->changed);
}

static void origin_count_sent(struct origin *origin, size_t bytes)
{
	SCOPED_LOCK(&origin->lock);

	origin->sent += bytes;
}

static int origin_send(struct origin *origin, size_t off, size_t stop,
    struct sink *sink, struct err *err)
{
	while (off < stop) {
		size_t end = origin_await_gate(origin, off);
		bool breaks;
		int r;

		if (end > stop)
			end = stop;
		if (end - off > PIECE)
			end = off + PIECE;
		breaks =
		    origin->break_at != NEVER && end > (size_t)origin->break_at;
		if (breaks)
			end = (size_t)origin->break_at;
		origin_count_sent(origin, end - off);
		r = sink_write(sink, origin->bytes + off, end - off, err);
		if (r < 0)
			return r;
		if (breaks)
			return err_set(err, ECONNRESET, "the connection broke");
		off = end;
	}
	return 0;
}

/* Whether this call is one of those that fail. */
static bool origin_fails(struct origin *origin)
{
	SCOPED_LOCK(&origin->lock);

	if (origin->failing == 0)
		return false;
	origin->failing--;
	return true;
}

int origin_fetch(void *arg, const struct digest *digest, uint64_t offset,
    uint64_t len, struct sink *sink, struct err *err)
{
	struct origin *origin = arg;
	size_t stop = origin->size;
	int r;

	(void)digest;
	if (len > 0 && !origin->to_end && len < stop - offset)
		stop = (size_t)(offset + len);
	origin_count_call(origin, offset, len);
	if (origin_fails(origin))
		r = err_set(err, origin->failure, "the origin is away");
	else
		r = origin_send(origin, (size_t)offset, stop, sink, err);
	SCOPED_LOCK(&origin->lock);
	if (r == -ECONNRESET) {
		origin->break_at = NEVER;
		origin->failing = origin->failing_then;
	}
	origin->returned++;
	pthread_cond_broadcast(&origin->changed);
	return r;
}

bool origin_wrong(void *arg, const struct digest *digest)
{
	struct origin *origin = arg;

	(void)digest;
	if (!origin->others)
		return false;
	origin->bytes = origin->others;
	origin->others = NULL;
	return true;
}

void origin_release(void *arg)
{
	struct origin *origin = arg;
	SCOPED_LOCK(&origin->lock);

	origin->released++;
}

void store_fixture_open_limited(struct fixture *f, uint64_t limit)
{
	struct store_options options = {f->dir, limit, 4};
	struct err err = ERR_INIT;

	if (store_open(&options, &f->store, &err) < 0)
		fail_msg("%s", err.msg);
}

void store_fixture_open(struct fixture *f)
{
	store_fixture_open_limited(f, PLENTY);
}

void store_fixture_close(struct fixture *f)
{
	store_close(steal(&f->store));
}

int store_setup_closed(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/test-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	content_init(&f->content, BLOB_SIZE, 1);
	origin_init(&f->origin, &f->content);
	*state = f;
	return 0;
}

int store_setup(void **state)
{
	store_setup_closed(state);
	store_fixture_open(*state);
	return 0;
}

int store_teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	remove_tree(f->dir);
	content_release(&f->content);
	free(f);
	return 0;
}

struct blob *get_from(struct store *store, const struct content *content,
    struct origin *origin)
{
	const struct store_source source = {.fetch = origin_fetch,
	    .wrong = origin_wrong,
	    .release = origin_release,
	    .arg = origin};
	struct err err = ERR_INIT;
	struct blob *blob;

	if (store_get(store, &content->digest, content->size, &source, &blob,
		&err) < 0)
		fail_msg("%s", err.msg);
	return blob;
}

struct blob *get(struct fixture *f)
{
	return get_from(f->store, &f->content, &f->origin);
}

int read_all(struct blob *blob, const struct content *content, struct err *err)
{
	unsigned char piece[48 * KIB];
	uint64_t off = 0;

	for (;;) {
		ssize_t n = blob_read(blob, piece, sizeof(piece), off, err);

		if (n < 0)
			return (int)n;
		if (memcmp(piece, content->bytes + off, (size_t)n) != 0)
			return err_set(err, EILSEQ, "wrong bytes at %llu",
			    (unsigned long long)off);
		off += (uint64_t)n;
		if (off == content->size)
			return 0;
		if (n == 0)
			return err_set(err, ENODATA, "ends too early");
	}
}

void assert_reads_all(struct blob *blob, const struct content *content)
{
	struct err err = ERR_INIT;

	if (read_all(blob, content, &err) < 0)
		fail_msg("%s", err.msg);
}

int read_at(struct blob *blob, uint64_t off, struct err *err)
{
	char byte;

	return (int)blob_read(blob, &byte, 1, off, err);
}

const char *whole_path(const struct fixture *f, char out[512])
{
	char hex[DIGEST_TEXT_SIZE];

	digest_hex(&f->content.digest, hex);
	snprintf(out, 512, "%s/blobs/sha256/%.2s/%s", f->dir, hex, hex);
	return out;
}

const char *partial_path(const struct fixture *f, char out[512])
{
	char hex[DIGEST_TEXT_SIZE];

	digest_hex(&f->content.digest, hex);
	snprintf(out, 512, "%s/partial/%s", f->dir, hex);
	return out;
}

bool file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

void flip_at(const char *path, off_t off)
{
	AUTO_FD int fd = open(path, O_RDWR);
	char byte;

	assert_int_equal(pread(fd, &byte, 1, off), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, off), 1);
}

void write_file(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

void write_partial(const struct fixture *f, const void *data, size_t len)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/partial", f->dir);
	mkdir(path, 0700);
	write_file(partial_path(f, path), data, len);
}
