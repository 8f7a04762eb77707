/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry says of its limit is known, also where it was tried again. */
#include "registry_fixture.h"

#include <errno.h>

struct script {
	int status;
	const char *fields;
};

static bool answer(struct peer *peer, const char *head, void *arg)
{
	const struct script *script = arg;

	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	if (head_is_for(head, "/v2/busy/tags/list") && peer_number(peer) < 3)
		return peer_reply(peer, 429, "Retry-After: 1\r\n", "");
	return peer_reply(peer, script->status, script->fields,
	    "{\"tags\":[]}");
}

static int ignore(void *arg, const char *name, struct err *err)
{
	(void)arg;
	(void)name;
	(void)err;
	return 0;
}

static struct source_limit after(struct fixture *f, const char *repository)
{
	struct err err = ERR_INIT;

	registry_tags(f->registry, repository, ignore, NULL, &err);
	return registry_limit(f->registry);
}

/* A registry that is open, and answers as script says. */
#define OPEN(f_, script_) \
	CLEANUP(fixture_close) struct fixture f_; \
	fixture_open(&(f_), answer, &(script_), NULL)

static void nothing_is_said(void **state)
{
	struct script script = {200, ""};
	struct source_limit limit;

	(void)state;
	OPEN(f, script);
	limit = after(&f, "app");
	assert_int_equal(limit.quota.at, 0);
	assert_int_equal(limit.refusal.at, 0);
}

static void as_docker_hub_says_it(void **state)
{
	struct script script = {200, "ratelimit-limit: 100;w=21600\r\n"
				     "RateLimit-Remaining: 76;w=21600\r\n"
				     "docker-ratelimit-source: 192.0.2.7\r\n"};
	struct source_limit limit;
	time_t now = time(NULL);

	(void)state;
	OPEN(f, script);
	limit = after(&f, "app");
	assert_true(limit.quota.at >= now);
	assert_int_equal(limit.quota.limit, 100);
	assert_int_equal(limit.quota.remaining, 76);
	assert_int_equal(limit.quota.window, 21600);
	assert_string_equal(limit.quota.source, "192.0.2.7");
	/* Who says nothing more takes nothing back. */
	script.fields = "";
	limit = after(&f, "app");
	assert_int_equal(limit.quota.remaining, 76);
	script.fields = "ratelimit-remaining: 75;w=21600\r\n";
	limit = after(&f, "app");
	assert_int_equal(limit.quota.remaining, 75);
	assert_true(limit.quota.limit == UINT64_MAX);
}

static void what_means_nothing(void **state)
{
	static const char *const fields[] = {
	    "ratelimit-limit: many\r\n",
	    "ratelimit-limit:\r\n",
	    "ratelimit-remaining: -1\r\n",
	    "ratelimit-remaining: 99999999999999999999\r\n",
	    "docker-ratelimit-source: 192.0.2.7\r\n",
	};
	struct script script = {200, ""};

	(void)state;
	OPEN(f, script);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		script.fields = fields[i];
		assert_int_equal(after(&f, "app").quota.at, 0);
	}
	script.fields = "ratelimit-limit: 5;q=1\r\n";
	assert_int_equal(after(&f, "app").quota.limit, 5);
	assert_true(after(&f, "app").quota.window == UINT64_MAX);
}

static void a_refusal_that_was_waited_for(void **state)
{
	struct script script = {200, ""};
	struct source_limit limit;
	time_t now = time(NULL);

	(void)state;
	OPEN(f, script);
	limit = after(&f, "busy");
	assert_int_equal(limit.quota.at, 0);
	assert_true(limit.refusal.at >= now);
	assert_int_equal(limit.refusal.retry_after, 1);
}

static void a_refusal_without_an_end(void **state)
{
	struct script script = {429, ""};
	struct source_limit limit;

	(void)state;
	OPEN(f, script);
	limit = after(&f, "app");
	assert_true(limit.refusal.at > 0);
	assert_true(limit.refusal.retry_after == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_said),
	    cmocka_unit_test(as_docker_hub_says_it),
	    cmocka_unit_test(what_means_nothing),
	    cmocka_unit_test(a_refusal_that_was_waited_for),
	    cmocka_unit_test(a_refusal_without_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
