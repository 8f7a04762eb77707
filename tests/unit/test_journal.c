/* SPDX-License-Identifier: Apache-2.0 */
/* Events come out in order, and stay where they are. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/strf.h"
#include "journal_fixture.h"
#include "scratch.h"

enum { FILE_MAX = 4000 };

struct world {
	struct scratch dir;
	struct store *store;
	struct journal *journal;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct store_options options = {NULL, 1 << 20, 2};
	struct err err = ERR_INIT;

	assert_non_null(w);
	assert_int_equal(scratch_make(&w->dir), 0);
	options.dir = w->dir.path;
	assert_int_equal(store_open(&options, &w->store, &err), 0);
	w->journal = journal_new(w->store, FILE_MAX, &err);
	assert_non_null(w->journal);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	journal_free(w->journal);
	store_close(w->store);
	scratch_remove(&w->dir);
	free(w);
	return 0;
}

static void add(struct world *w, const char *tag)
{
	const struct image_event event = {.name = "push-begun",
	    .repository = "app",
	    .tag = tag};

	journal_add(w->journal, &event);
}

#define LINE(tag) \
	"\"event\":\"push-begun\",\"repository\":\"app\"," \
	"\"tag\":\"" tag "\"}\n"

static void nothing_has_happened(void **state)
{
	struct world *w = *state;

	journal_flush(w->journal);
	assert_journal(w->journal, "");
}

static void events_follow_each_other(void **state)
{
	struct world *w = *state;

	add(w, "1");
	assert_journal(w->journal, "");
	journal_flush(w->journal);
	assert_journal(w->journal, LINE("1"));
	add(w, "2");
	add(w, "3");
	journal_flush(w->journal);
	assert_journal(w->journal, LINE("1") LINE("2") LINE("3"));
}

static void all_that_an_event_can_say(void **state)
{
	struct world *w = *state;
	struct digest digest, before;
	const struct push_sum sum = {1000, 200, 1.25};
	const struct image_event event = {.name = "push-failed",
	    .repository = "team/app",
	    .tag = "1",
	    .digest = &digest,
	    .before = &before,
	    .by = "me",
	    .push = &sum,
	    .error = "\"quoted\"\n\xff"};
	char text[1000], now[DIGEST_TEXT_SIZE], was[DIGEST_TEXT_SIZE];
	struct err err = ERR_INIT;

	digest_of(DIGEST_SHA256, "1", 1, &digest, &err);
	digest_of(DIGEST_SHA512, "2", 1, &before, &err);
	journal_add(w->journal, &event);
	journal_flush(w->journal);
	snprintf(text, sizeof(text),
	    "\"event\":\"push-failed\",\"repository\":\"team/app\","
	    "\"tag\":\"1\",\"digest\":\"%s\",\"before\":\"%s\",\"by\":\"me\","
	    "\"bytes\":1000,\"sent_bytes\":200,\"seconds\":1.250,"
	    "\"error\":\"\\\"quoted\\\"\\u000a\ufffd\"}\n",
	    digest_format(&digest, now), digest_format(&before, was));
	assert_journal(w->journal, text);
}

static void read_in_pieces(void **state)
{
	struct world *w = *state;
	CLEANUP(journal_file_put_p)
	struct journal_file *file = journal_file_get(w->journal);
	char piece[7], text[1000] = "";
	struct err err = ERR_INIT;
	size_t off = 0;
	ssize_t n;

	add(w, "1");
	journal_flush(w->journal);
	while ((n = journal_file_read(file, piece, sizeof(piece), off, &err)) >
	       0) {
		memcpy(text + off, piece, (size_t)n);
		off += (size_t)n;
	}
	assert_int_equal(off, journal_file_size(file));
	assert_string_equal(strstr(text, "\"event\""), LINE("1"));
	assert_int_equal(journal_file_read(file, piece, 1, UINT64_MAX, &err),
	    0);
}

/* Who reads the old one reads to its end; the new one goes on from there. */
static void another_file_is_begun(void **state)
{
	struct world *w = *state;
	CLEANUP(journal_file_put_p)
	struct journal_file *first = journal_file_get(w->journal);
	CLEANUP(journal_file_put_p) struct journal_file *second = NULL;
	const char *text, *end = "\"event\":\"continued\"}\n";
	unsigned lines = 0, events = 0;

	while (!second ||
	       journal_file_number(second) == journal_file_number(first)) {
		journal_file_put(second);
		add(w, "1");
		journal_flush(w->journal);
		events++;
		second = journal_file_get(w->journal);
	}
	assert_true(journal_file_size(first) > FILE_MAX / 2);
	assert_true(journal_file_size(first) < FILE_MAX + 100);
	for (text = journal_text(first); strncmp(text, LINE("1"), 20) == 0;
	     text = strchr(text, '\n') + 1)
		lines++;
	assert_string_equal(text, end);
	assert_int_equal(lines, events - 1);
	assert_string_equal(journal_text(second), LINE("1"));
}

static void break_store(struct world *w, bool broken)
{
	AUTO_FREE char *path = strf("%s/spool", w->dir.path);
	int fd;

	if (!broken) {
		assert_int_equal(unlink(path), 0);
		return;
	}
	rmdir(path);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void what_is_lost_is_said(void **state)
{
	struct world *w = *state;

	break_store(w, true);
	add(w, "1");
	journal_flush(w->journal);
	add(w, "2");
	add(w, "3");
	journal_flush(w->journal);
	assert_journal(w->journal, "");
	break_store(w, false);
	add(w, "4");
	journal_flush(w->journal);
	assert_journal(w->journal,
	    "\"event\":\"lost\",\"count\":3}\n" LINE("4"));
}

struct writer {
	struct world *w;
	char tag[8];
};

static void *write_many(void *arg)
{
	struct writer *writer = arg;

	for (int i = 0; i < 100; i++) {
		add(writer->w, writer->tag);
		journal_flush(writer->w->journal);
	}
	return NULL;
}

/* All are there once no thread is in journal_flush() any more; who reads
 * meanwhile sees whole lines alone. */
static void many_at_once(void **state)
{
	enum { THREADS = 4 };
	struct world *w = *state;
	struct err err = ERR_INIT;
	struct writer writers[THREADS];
	pthread_t threads[THREADS];
	unsigned lines = 0;

	journal_free(w->journal);
	w->journal = journal_new(w->store, JOURNAL_FILE_MAX, &err);
	for (int i = 0; i < THREADS; i++) {
		writers[i].w = w;
		snprintf(writers[i].tag, sizeof(writers[i].tag), "%d", i);
		pthread_create(&threads[i], NULL, write_many, &writers[i]);
	}
	for (int i = 0; i < 100; i++) {
		CLEANUP(journal_file_put_p)
		struct journal_file *file = journal_file_get(w->journal);
		uint64_t size = journal_file_size(file);
		char last;

		if (!size)
			continue;
		assert_int_equal(journal_file_read(file, &last, 1, size - 1,
				     &err),
		    1);
		assert_int_equal(last, '\n');
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CLEANUP(journal_file_put_p)
	struct journal_file *file = journal_file_get(w->journal);

	for (const char *p = journal_text(file); *p; p = strchr(p, '\n') + 1)
		lines++;
	assert_int_equal(lines, THREADS * 100);
}

#define JOURNAL_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    JOURNAL_TEST(nothing_has_happened),
	    JOURNAL_TEST(events_follow_each_other),
	    JOURNAL_TEST(all_that_an_event_can_say),
	    JOURNAL_TEST(read_in_pieces),
	    JOURNAL_TEST(another_file_is_begun),
	    JOURNAL_TEST(what_is_lost_is_said),
	    JOURNAL_TEST(many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
