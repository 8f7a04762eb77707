/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: what reaches standard error, and what the ring keeps. The ring is
 * the process's, so a test looks only at what it adds itself.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"

enum {
	RING_SIZE = 64 * 1024,
	THREADS = 4,
	LINES = 200,
};

/* Standard error goes to a file while a test runs. */
static int captured = -1;
static int original = -1;

static int capture(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	captured = file_temp("/tmp", &err);
	original = dup(STDERR_FILENO);
	return dup2(captured, STDERR_FILENO) < 0;
}

static int restore(void **state)
{
	(void)state;
	dup2(original, STDERR_FILENO);
	close(original);
	close(captured);
	return 0;
}

/* What was written to standard error, which is emptied. */
static void take_output(char *out, size_t size)
{
	struct err err = ERR_INIT;
	ssize_t n = file_pread(captured, out, size - 1, 0, &err);

	assert_true(n >= 0);
	out[n] = '\0';
	assert_int_equal(ftruncate(captured, 0), 0);
	lseek(captured, 0, SEEK_SET);
}

static void read_ring(struct buf *out)
{
	struct err err = ERR_INIT;

	buf_reset(out);
	assert_int_equal(log_recent(out, &err), 0);
	assert_int_equal(out->len, log_recent_size());
}

/* The ring's last line without its newline; *out keeps the memory. */
static const char *last_line(struct buf *out)
{
	char *start;

	read_ring(out);
	assert_true(out->len > 0);
	assert_int_equal(out->data[out->len - 1], '\n');
	out->data[out->len - 1] = '\0';
	start = strrchr(out->data, '\n');
	return start ? start + 1 : out->data;
}

static void lines_have_level_and_time(void **state)
{
	AUTO_BUF struct buf ring = BUF_INIT(RING_SIZE);
	int year, month, day, hour, minute, second, end = 0;
	const char *line;
	char out[200];

	(void)state;
	log_error("blob %d", 7);
	line = last_line(&ring);
	sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &year, &month, &day, &hour,
	    &minute, &second, &end);
	assert_int_equal(end, 20);
	assert_string_equal(line + end, " error blob 7");
	log_warn("careful");
	assert_string_equal(last_line(&ring) + end, " warning careful");
	log_info("ready");
	assert_string_equal(last_line(&ring) + end, " info ready");
	take_output(out, sizeof(out));
	assert_string_equal(out, "registryfs: error: blob 7\n"
				 "registryfs: warning: careful\n"
				 "registryfs: info: ready\n");
}

static void control_characters_are_filtered(void **state)
{
	AUTO_BUF struct buf ring = BUF_INIT(RING_SIZE);
	char out[200];

	(void)state;
	log_error("%s", "evil\nregistryfs: \x1b[2Jnews");
	assert_string_equal(last_line(&ring) + 20,
	    " error evil?registryfs: ?[2Jnews");
	take_output(out, sizeof(out));
	assert_string_equal(out,
	    "registryfs: error: evil?registryfs: ?[2Jnews\n");
}

static void long_messages_are_cut(void **state)
{
	AUTO_BUF struct buf ring = BUF_INIT(RING_SIZE);
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_error("%s", text);
	assert_in_range(strlen(last_line(&ring)), 1000, 1100);
}

static void logging_keeps_errno(void **state)
{
	(void)state;
	errno = EXDEV;
	log_info("something");
	log_debug(LOG_FUSE, "something");
	assert_int_equal(errno, EXDEV);
}

static void the_ring_keeps_the_last_lines(void **state)
{
	AUTO_BUF struct buf ring = BUF_INIT(RING_SIZE);
	AUTO_BUF struct buf small = BUF_INIT(100);
	struct err err = ERR_INIT;
	unsigned first, n, count = 0;
	const char *p;

	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		log_info("line %u", i);
	read_ring(&ring);
	/* Nearly full, and it begins with a whole line. */
	assert_in_range(ring.len, RING_SIZE - 100, RING_SIZE);
	assert_int_equal(sscanf(ring.data + 20, " info line %u", &first), 1);
	for (p = ring.data; *p; p = strchr(p, '\n') + 1, count++) {
		assert_int_equal(sscanf(p + 20, " info line %u", &n), 1);
		assert_int_equal(n, first + count);
	}
	assert_int_equal(first + count, 5000);
	assert_int_equal(log_recent(&small, &err), -EFBIG);
	assert_int_equal(small.len, 0);
}

/* pthread_create() that fails the test. */
static void start(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
	assert_int_equal(pthread_create(thread, NULL, run, arg), 0);
}

static void *log_many(void *arg)
{
	for (int i = 0; i < LINES; i++)
		log_info("thread %s %s", (const char *)arg,
		    "abcdefghijklmnopqrstuvwxyz");
	return NULL;
}

static void threads_do_not_mix_lines(void **state)
{
	AUTO_BUF struct buf ring = BUF_INIT(RING_SIZE);
	char names[THREADS][2] = {"0", "1", "2", "3"};
	pthread_t threads[THREADS];
	unsigned n, count = 0;
	int end;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		start(&threads[i], log_many, names[i]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	read_ring(&ring);
	for (char *p = ring.data; *p; p += strcspn(p, "\n") + 1) {
		if (strncmp(p + 20, " info thread", 12) != 0)
			continue;
		end = 0;
		sscanf(p + 20, " info thread %u abcdefghijklmnopqrstuvwxyz%n",
		    &n, &end);
		assert_int_equal(p[20 + end], '\n');
		count++;
	}
	assert_int_equal(count, THREADS * LINES);
}

static void debug_topics(void **state)
{
	AUTO_BUF struct buf ring = BUF_INIT(RING_SIZE);
	struct err err = ERR_INIT;
	char out[200];

	(void)state;
	log_debug(LOG_HTTP, "not shown");
	assert_int_equal(log_debug_topics("http,nonsense", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "\"nonsense\""));
	assert_int_equal(log_debug_topics("", &err), -EINVAL);
	assert_int_equal(log_debug_topics("http,", &err), -EINVAL);
	assert_int_equal(log_debug_topics("htt", &err), -EINVAL);
	assert_false(log_debug_on(LOG_HTTP));
	assert_int_equal(log_debug_topics("http,push", &err), 0);
	assert_true(log_debug_on(LOG_HTTP));
	assert_true(log_debug_on(LOG_PUSH));
	assert_false(log_debug_on(LOG_FUSE));
	log_debug(LOG_HTTP, "GET %s", "/v2/");
	log_debug(LOG_FUSE, "not shown");
	assert_string_equal(last_line(&ring) + 20, " debug-http GET /v2/");
	take_output(out, sizeof(out));
	assert_string_equal(out, "registryfs: debug-http: GET /v2/\n");
	assert_int_equal(log_debug_topics("all", &err), 0);
	for (unsigned i = 0; i < LOG_TOPICS; i++)
		assert_true(log_debug_on((enum log_topic)i));
}

static void syslog_leaves_standard_error_alone(void **state)
{
	AUTO_BUF struct buf ring = BUF_INIT(RING_SIZE);
	char out[200];

	(void)state;
	log_to_syslog("test_log");
	log_info("a unit test says hello");
	take_output(out, sizeof(out));
	assert_string_equal(out, "");
	assert_string_equal(last_line(&ring) + 20,
	    " info a unit test says hello");
}

#define CAPTURED(test) cmocka_unit_test_setup_teardown(test, capture, restore)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CAPTURED(lines_have_level_and_time),
	    CAPTURED(control_characters_are_filtered),
	    CAPTURED(long_messages_are_cut),
	    CAPTURED(logging_keeps_errno),
	    CAPTURED(the_ring_keeps_the_last_lines),
	    CAPTURED(threads_do_not_mix_lines),
	    CAPTURED(debug_topics),
	    /* Last: there is no way back from syslog. */
	    CAPTURED(syslog_leaves_standard_error_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
