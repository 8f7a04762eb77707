/* SPDX-License-Identifier: Apache-2.0 */
#include "parts_fixture.h"

struct parts *parts_from(struct store *store, const struct content *content,
    struct origin *origin)
{
	const struct store_source source = {.fetch = origin_fetch,
	    .wrong = origin_wrong,
	    .release = origin_release,
	    .arg = origin};
	struct err err = ERR_INIT;
	struct parts *parts;

	if (store_parts(store, &content->digest, content->size, &source, &parts,
		&err) < 0)
		fail_msg("%s", err.msg);
	return parts;
}

struct parts *get_parts(struct fixture *f)
{
	return parts_from(f->store, &f->content, &f->origin);
}

int read_part(struct parts *parts, const struct content *content, uint64_t off,
    size_t len, uint64_t window, struct err *err)
{
	AUTO_FREE unsigned char *data = malloc(len);
	int r = data ? parts_read(parts, data, len, off, window, err)
		     : err_nomem(err);

	if (r == 0 && memcmp(data, content->bytes + off, len) != 0)
		r = err_set(err, EILSEQ, "wrong bytes at %llu",
		    (unsigned long long)off);
	return r;
}

void assert_reads(struct fixture *f, struct parts *parts, uint64_t off,
    size_t len, uint64_t window)
{
	struct err err = ERR_INIT;

	if (read_part(parts, &f->content, off, len, window, &err) < 0)
		fail_msg("%s", err.msg);
}

void assert_asked(const struct fixture *f, unsigned n, uint64_t offset,
    uint64_t len)
{
	assert_true(n < f->origin.calls);
	assert_int_equal(f->origin.offsets[n], offset);
	assert_int_equal(f->origin.lens[n], len);
}

const char *parts_path(const struct fixture *f, char out[512])
{
	char hex[DIGEST_TEXT_SIZE];

	digest_hex(&f->content.digest, hex);
	snprintf(out, 512, "%s/parts/%s", f->dir, hex);
	return out;
}

static void *reader_run(void *arg)
{
	struct reader *reader = arg;

	task_begin(&reader->task);
	pthread_barrier_wait(&reader->met);
	reader->result = read_part(reader->parts, reader->content, reader->off,
	    reader->len, reader->window, &reader->err);
	pthread_barrier_wait(&reader->met);
	task_end(&reader->task);
	return NULL;
}

void reader_start(struct reader *reader, struct fixture *f, struct parts *parts,
    uint64_t off, size_t len, uint64_t window)
{
	memset(reader, 0, sizeof(*reader));
	reader->parts = parts;
	reader->content = &f->content;
	reader->off = off;
	reader->len = len;
	reader->window = window;
	pthread_barrier_init(&reader->met, NULL, 2);
	pthread_create(&reader->thread, NULL, reader_run, reader);
	pthread_barrier_wait(&reader->met);
}

int reader_end(struct reader *reader)
{
	pthread_barrier_wait(&reader->met);
	pthread_join(reader->thread, NULL);
	pthread_barrier_destroy(&reader->met);
	return reader->result;
}
