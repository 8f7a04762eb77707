/* SPDX-License-Identifier: Apache-2.0 */
/* Tags that are not what they were known to be. */
#include <errno.h>
#include <stdatomic.h>

#include "base/budget.h"
#include "image/retag.h"
#include "image/untag.h"
#include "images_fixture.h"
#include "journal_fixture.h"

#define ONE \
	"sha256:" \
	"1111111111111111111111111111111111111111111111111111111111111111"
#define TWO \
	"sha256:" \
	"2222222222222222222222222222222222222222222222222222222222222222"

/* What the server has: changed by the test between its requests. */
struct script {
	const char *tags;   /* the list of app's; NULL: no such repository */
	const char *digest; /* of app:1; NULL: no such tag */
	void (*meanwhile)(void *arg); /* before the answer */
	void *arg;
};

static bool answer(struct peer *peer, const char *head, void *arg)
{
	const struct script *script = arg;
	char fields[256], body[256];

	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	if (script->meanwhile)
		script->meanwhile(script->arg);
	if (strstr(head, "/tags/list")) {
		if (!script->tags)
			return peer_reply(peer, 404, "",
			    "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}");
		snprintf(body, sizeof(body), "{\"tags\":[%s]}", script->tags);
		return peer_reply(peer, 200, "", body);
	}
	if (!script->digest)
		return peer_reply(peer, 404, "",
		    head_method_is(head, "HEAD")
			? ""
			: "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}");
	snprintf(fields, sizeof(fields), "Docker-Content-Digest: %s\r\n",
	    script->digest);
	return peer_reply(peer, 200, fields, "");
}

struct world {
	struct script script;
	struct images_fixture f;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	images_fixture_open(&w->f, answer, &w->script, 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	images_fixture_close(&w->f);
	free(w);
	return 0;
}

static void list(struct world *w, const char *tags)
{
	CLEANUP(names_put_p) struct names *names = NULL;
	struct err err = ERR_INIT;

	w->script.tags = tags;
	assert_int_equal(images_tags(w->f.images, "app", &names, &err),
	    tags ? 0 : -ENOENT);
}

static void resolve(struct world *w, const char *digest)
{
	struct err err = ERR_INIT;
	struct digest out;

	w->script.digest = digest;
	assert_int_equal(images_resolve(w->f.images, "app", "1", &out, &err),
	    digest ? 0 : -ENOENT);
}

static void change(struct world *w, const char *text)
{
	struct err err = ERR_INIT;
	struct digest digest;

	if (text)
		assert_int_equal(digest_parse(&digest, text, &err), 0);
	images_tag_changed(w->f.images, "app", "1", text ? &digest : NULL);
}

#define EVENT(name, tag, more) \
	"\"event\":\"tag-" name "\",\"repository\":\"app\",\"tag\":\"" tag \
	"\"," more "}\n"
#define SEEN "\"by\":\"another client\""
#define MADE "\"by\":\"this mount\""
#define NOW(digest) "\"digest\":\"" digest "\","
#define WAS(digest) "\"before\":\"" digest "\","

#define expect(w, text) assert_journal(images_journal((w)->f.images), text)

static void what_is_seen_first_is_no_change(void **state)
{
	struct world *w = *state;

	resolve(w, ONE);
	list(w, "\"1\",\"2\"");
	list(w, "\"2\",\"1\"");
	resolve(w, ONE);
	expect(w, "");
}

static time_t since(struct world *w, const char *tag)
{
	return images_tag_since(w->f.images, "app", tag);
}

/* Programs that compare times learn by it of an image of the same time. */
static void a_change_has_a_time(void **state)
{
	struct world *w = *state;
	time_t begun = time(NULL);

	resolve(w, ONE);
	list(w, "\"1\",\"2\"");
	resolve(w, ONE);
	assert_int_equal(since(w, "1"), 0);
	resolve(w, TWO);
	assert_true(since(w, "1") >= begun);
	assert_int_equal(since(w, "2"), 0);
	list(w, "\"1\",\"2\",\"3\"");
	assert_true(since(w, "3") >= begun);
	assert_int_equal(since(w, "2"), 0);
}

static void a_tag_moves(void **state)
{
	struct world *w = *state;

	resolve(w, ONE);
	resolve(w, TWO);
	resolve(w, TWO);
	list(w, "\"1\"");
	expect(w, EVENT("moved", "1", NOW(TWO) WAS(ONE) SEEN));
}

static void a_tag_comes_and_goes(void **state)
{
	struct world *w = *state;

	resolve(w, NULL);
	resolve(w, ONE);
	resolve(w, NULL);
	resolve(w, NULL);
	expect(w, EVENT("created", "1", NOW(ONE) SEEN)
		      EVENT("removed", "1", WAS(ONE) SEEN));
}

static void lists_differ(void **state)
{
	struct world *w = *state;

	list(w, "\"1\",\"2\",\"3\"");
	list(w, "\"0\",\"2\",\"4\"");
	list(w, "\"0\",\"2\",\"4\"");
	expect(w, EVENT("created", "0", SEEN) EVENT("created", "4", SEEN)
		      EVENT("removed", "1", SEEN) EVENT("removed", "3", SEEN));
}

static void a_repository_comes_and_goes(void **state)
{
	struct world *w = *state;

	list(w, NULL);
	list(w, "\"1\"");
	list(w, NULL);
	list(w, NULL);
	expect(w, EVENT("created", "1", SEEN) EVENT("removed", "1", SEEN));
}

/* Whichever way it is seen first, it is said once. */
static void a_list_and_an_answer_agree(void **state)
{
	struct world *w = *state;

	list(w, "\"2\"");
	resolve(w, ONE);
	list(w, "\"1\",\"2\"");
	expect(w, EVENT("created", "1", NOW(ONE) SEEN));
	list(w, "\"2\"");
	resolve(w, NULL);
	expect(w, EVENT("created", "1", NOW(ONE) SEEN)
		      EVENT("removed", "1", WAS(ONE) SEEN));
	list(w, "\"1\",\"2\"");
	resolve(w, TWO);
	expect(w, EVENT("created", "1", NOW(ONE) SEEN) EVENT("removed", "1",
		      WAS(ONE) SEEN) EVENT("created", "1", SEEN));
}

static void what_this_mount_does(void **state)
{
	struct world *w = *state;

	change(w, ONE);
	change(w, ONE);
	change(w, TWO);
	change(w, NULL);
	change(w, ONE);
	resolve(w, ONE);
	list(w, "\"1\"");
	expect(w, EVENT("put", "1", NOW(ONE) MADE)
		      EVENT("moved", "1", NOW(TWO) WAS(ONE) MADE)
			  EVENT("removed", "1", WAS(TWO) MADE)
			      EVENT("created", "1", NOW(ONE) MADE));
}

static void what_a_list_knows_of_a_tag_that_is_put(void **state)
{
	struct world *w = *state;

	list(w, "\"1\"");
	change(w, ONE);
	expect(w, EVENT("put", "1", NOW(ONE) MADE));
}

/* The server's answer is older than what this mount does. */
static void put_meanwhile(void *arg)
{
	struct world *w = arg;

	w->script.meanwhile = NULL;
	change(w, TWO);
}

static void an_answer_that_is_late(void **state)
{
	struct world *w = *state;

	resolve(w, ONE);
	w->script.arg = w;
	w->script.meanwhile = put_meanwhile;
	resolve(w, ONE);
	resolve(w, TWO);
	expect(w, EVENT("moved", "1", NOW(TWO) WAS(ONE) MADE));
}

static void a_digest_is_no_tag(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	struct digest out;

	assert_int_equal(images_resolve(w->f.images, "app", ONE, &out, &err),
	    -ENOENT);
	w->script.digest = ONE;
	assert_int_equal(images_resolve(w->f.images, "app", ONE, &out, &err),
	    0);
	expect(w, "");
}

/* What a user has begun to change is not to fail by a restart. */
static void changes_are_patient(void **state)
{
	struct world *w = *state;
	const struct tag_ref from = {w->f.images, "app", "1", false, NULL},
			     to = {w->f.images, "app", "2", false, NULL};
	struct budget removal = {0}, move = {0}, look = {0};
	struct err err = ERR_INIT;
	struct digest out;

	budget_bind(&removal);
	assert_int_equal(untag(w->f.images, "app", "1", &err), -ENOENT);
	budget_unbind(&removal);
	assert_true(removal.patient);
	budget_bind(&move);
	assert_true(tag_exchange(&from, &to, false, &err) < 0);
	budget_unbind(&move);
	assert_true(move.patient);
	budget_bind(&look);
	assert_int_equal(images_resolve(w->f.images, "app", "1", &out, &err),
	    -ENOENT);
	budget_unbind(&look);
	assert_false(look.patient);
}

#define CHANGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CHANGE_TEST(what_is_seen_first_is_no_change),
	    CHANGE_TEST(a_change_has_a_time),
	    CHANGE_TEST(a_tag_moves),
	    CHANGE_TEST(a_tag_comes_and_goes),
	    CHANGE_TEST(lists_differ),
	    CHANGE_TEST(a_repository_comes_and_goes),
	    CHANGE_TEST(a_list_and_an_answer_agree),
	    CHANGE_TEST(what_this_mount_does),
	    CHANGE_TEST(what_a_list_knows_of_a_tag_that_is_put),
	    CHANGE_TEST(an_answer_that_is_late),
	    CHANGE_TEST(a_digest_is_no_tag),
	    CHANGE_TEST(changes_are_patient),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
