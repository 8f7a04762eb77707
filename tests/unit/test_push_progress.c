/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes as others see them while they are under way, and when they end. */
#include "push_fixture.h"

#include "base/strf.h"
#include "journal_fixture.h"

static size_t look(struct fixture *f, struct push_info *first)
{
	AUTO_FREE struct push_info *all = NULL;
	size_t count = 0;

	must(pushes_list(images_pushes(f->images), &all, &count, &f->err));
	if (count)
		*first = all[0];
	return count;
}

/* The events' names, and of pushes how they ended: "push-begun push-done ". */
static const char *events(struct fixture *f)
{
	static char out[1000];
	CLEANUP(journal_file_put_p)
	struct journal_file *file = journal_file_get(images_journal(f->images));
	const char *start = "\"event\":\"";
	char *to = out;

	for (const char *p = journal_text(file); (p = strstr(p, start));) {
		size_t len;

		p += strlen(start);
		len = strcspn(p, "\"");
		to = mempcpy(to, p, len);
		*to++ = ' ';
	}
	*to = '\0';
	return out;
}

static bool events_have(struct fixture *f, const char *text)
{
	CLEANUP(journal_file_put_p)
	struct journal_file *file = journal_file_get(images_journal(f->images));

	return strstr(journal_text(file), text) != NULL;
}

static void under_way(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);
	struct push_info info;
	size_t half;

	make_docker(f, &layers, true);
	half = f->archive.len / 2;
	assert_int_equal(look(f, &info), 0);
	begin_push(f, "team/app", "1.0");
	assert_int_equal(look(f, &info), 1);
	assert_int_equal(info.received, 0);
	assert_int_equal(write_range(f, 0, half), 0);
	assert_int_equal(look(f, &info), 1);
	assert_string_equal(info.repository, "team/app");
	assert_string_equal(info.tag, "1.0");
	assert_false(info.complete);
	assert_int_equal(info.received, half);
	assert_true(info.layers >= 1 && info.layers <= 2);
	assert_true(info.layers_done <= info.layers);
	assert_true(info.began >= time(NULL) - 60);
	assert_string_equal(events(f), "push-begun ");
	assert_pushed(write_range(f, half, f->archive.len));
	assert_int_equal(look(f, &info), 0);
	assert_string_equal(events(f), "push-begun tag-created push-done ");
	assert_int_equal(pushes_count(images_pushes(f->images)).done, 1);
	assert_int_equal(pushes_count(images_pushes(f->images)).failed, 0);
}

static void what_was_sent(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(2, 1);
	AUTO_FREE char *text = NULL;
	struct http_counters before, after;

	make_docker(f, &layers, true);
	before = http_count(f->http);
	assert_pushed(push_archive(f, "app", "1.0"));
	after = http_count(f->http);
	/* All but the manifest. */
	text = strf("\"bytes\":%zu,\"sent_bytes\":%llu,", f->archive.len,
	    (unsigned long long)(after.bytes_sent - before.bytes_sent -
				 registry_double_manifest(f->server, "app",
				     "1.0")
				     ->len));
	if (!events_have(f, text))
		fail_msg("%s is not in the events", text);
}

static void failed(void **state)
{
	struct fixture *f = *state;
	struct push_info info;

	for (int i = 0; i < 1000; i++)
		add_bytes(&f->archive, "not a tar ", 10);
	assert_fails(push_archive(f, "app", "1.0"), EINVAL, "app:1.0");
	assert_int_equal(look(f, &info), 0);
	assert_string_equal(events(f), "push-begun push-failed ");
	assert_true(events_have(f, ",\"error\":\"pushing app:1.0: "));
	close_push(f);
	assert_string_equal(events(f), "push-begun push-failed ");
	assert_int_equal(pushes_count(images_pushes(f->images)).failed, 1);
}

static void given_up(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(1, 1);
	struct push_info info;

	make_docker(f, &layers, true);
	begin_push(f, "app", "1.0");
	assert_int_equal(write_range(f, 0, f->archive.len / 2), 0);
	close_push(f);
	assert_int_equal(look(f, &info), 0);
	assert_string_equal(events(f), "push-begun push-failed ");
	assert_true(events_have(f, "given up before the archive was complete"));
}

/* What was said at a close is why, if nothing more comes. */
static void closed_in_the_middle(void **state)
{
	struct fixture *f = *state;
	AUTO_LAYERS struct layers layers = make_layers(1, 1);
	struct push_info info;
	struct err why;

	make_docker(f, &layers, true);
	begin_push(f, "app", "1.0");
	assert_int_equal(write_range(f, 0, f->archive.len / 2), 0);
	assert_fails(end_push(f), EINVAL, "is truncated");
	why = f->err;
	assert_int_equal(look(f, &info), 1);
	assert_string_equal(events(f), "push-begun ");
	push_give_up(steal(&f->push), &why);
	assert_true(events_have(f, "the archive is truncated"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PUSH_TEST(under_way),
	    PUSH_TEST(what_was_sent),
	    PUSH_TEST(failed),
	    PUSH_TEST(given_up),
	    PUSH_TEST(closed_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
