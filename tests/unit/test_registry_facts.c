/* SPDX-License-Identifier: Apache-2.0 */
/* What services say is kept: the latest of each, and not without bound. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "session/facts.h"

static int join(void *arg, const char *name, const char *value, struct err *err)
{
	return buf_addf(arg, err, "%s=%s|", name, value);
}

static void assert_kept(struct facts *facts, const char *of, const char *want)
{
	AUTO_BUF struct buf out = BUF_INIT(1000);
	struct err err = ERR_INIT;

	assert_int_equal(facts_each(facts, of, join, &out, &err), 0);
	assert_string_equal(buf_str(&out), want);
}

/* text with its NUL bytes, of which the last is the literal's own. */
#define KEEP(facts_, of_, text_) \
	facts_keep((facts_), (of_), (text_), sizeof(text_))

static void the_latest_of_each(void **state)
{
	struct facts facts;

	(void)state;
	facts_init(&facts);
	assert_kept(&facts, "app", "");
	KEEP(&facts, "app", "stars\0007\0pulls\00042");
	KEEP(&facts, "app:1.0", "size\000100");
	assert_kept(&facts, "app", "stars=7|pulls=42|");
	assert_kept(&facts, "app:1.0", "size=100|");
	KEEP(&facts, "app", "stars\0008");
	assert_kept(&facts, "app", "stars=8|pulls=42|");
	facts_keep(&facts, "app", "", 0);
	assert_kept(&facts, "app", "stars=8|pulls=42|");
	KEEP(&facts, "app", "size\0003\0pulls\00043");
	assert_kept(&facts, "app", "size=3|pulls=43|stars=8|");
	facts_release(&facts);
}

static int stop(void *arg, const char *name, const char *value, struct err *err)
{
	(void)name;
	(void)value;
	(void)err;
	++*(int *)arg;
	return 42;
}

static void a_reader_stops(void **state)
{
	struct err err = ERR_INIT;
	struct facts facts;
	int calls = 0;

	(void)state;
	facts_init(&facts);
	KEEP(&facts, "app", "stars\0007\0pulls\00042");
	assert_int_equal(facts_each(&facts, "app", stop, &calls, &err), 42);
	assert_int_equal(calls, 1);
	facts_release(&facts);
}

static void there_is_a_bound(void **state)
{
	struct facts facts;
	char of[32];

	(void)state;
	facts_init(&facts);
	for (int i = 0; i < 100000; i++) {
		snprintf(of, sizeof(of), "app%d", i);
		KEEP(&facts, of, "stars\0007");
		assert_true(facts.kept.count <= 32 << 10);
	}
	assert_kept(&facts, of, "stars=7|");
	assert_kept(&facts, "app0", "");
	facts_release(&facts);
}

static void the_age_of_what_was_read(void **state)
{
	struct facts facts;

	(void)state;
	facts_init(&facts);
	assert_false(facts_are_read(&facts, "app", 60));
	facts_note_read(&facts, "app");
	assert_true(facts_are_read(&facts, "app", 60));
	assert_false(facts_are_read(&facts, "app", 0));
	assert_false(facts_are_read(&facts, "other", 60));
	facts_release(&facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_latest_of_each),
	    cmocka_unit_test(a_reader_stops),
	    cmocka_unit_test(there_is_a_bound),
	    cmocka_unit_test(the_age_of_what_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
