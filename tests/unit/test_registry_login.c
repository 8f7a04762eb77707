/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a registry takes the stored credentials. */
#include <errno.h>
#include <stdatomic.h>

#include "registry_fixture.h"

#define BEARER "WWW-Authenticate: Bearer realm=\"/token\",service=\"srv\"\r\n"
#define BASIC "WWW-Authenticate: Basic realm=\"x\"\r\n"

struct script {
	const char *challenge;
	const char *accepts; /* the Authorization that is let in */
	int token_status;    /* of the token server */
	atomic_uint tokens, pings;
};

static bool give_token(struct peer *peer, const char *head,
    struct script *script)
{
	EXPECT(peer, head_asks(head, "account=alice"));
	EXPECT(peer, !head_asks(head, "scope="));
	return peer_reply(peer, script->token_status, "",
	    script->token_status == 200 ? "{\"token\":\"T\"}" : "");
}

static bool answer(struct peer *peer, const char *head, void *arg)
{
	struct script *script = arg;

	if (head_is_for(head, "/token")) {
		atomic_fetch_add(&script->tokens, 1);
		return give_token(peer, head, script);
	}
	EXPECT(peer, head_is_for(head, "/v2/"));
	atomic_fetch_add(&script->pings, 1);
	if (!script->challenge ||
	    (script->accepts &&
		head_has(head, "Authorization", script->accepts)))
		return peer_reply(peer, 200, "", "{}");
	return peer_reply(peer, 401, script->challenge, "");
}

static void check(void **state)
{
	static const struct {
		const char *challenge, *accepts, *entry;
		int token_status, result;
		unsigned tokens, pings;
	} cases[] = {
	    {BASIC, ALICE_BASIC, ALICE, 0, 0, 0, 2},
	    {BASIC, NULL, ALICE, 0, -EACCES, 0, 2},
	    {BEARER, "Bearer T", ALICE, 200, 0, 1, 2},
	    {BEARER, NULL, ALICE, 200, -EACCES, 1, 2},
	    {BEARER, NULL, ALICE, 401, -EACCES, 1, 1},
	    {BEARER, NULL, ALICE, 403, -EACCES, 1, 1},
	    /* That says nothing of the credentials; it is asked once. */
	    {BEARER, NULL, ALICE, 400, 0, 1, 1},
	    {BEARER, NULL, ALICE, 503, 0, 1, 1},
	    /* Nothing to ask about. */
	    {BASIC, NULL, NULL, 0, 0, 0, 1},
	    {BEARER, NULL, NULL, 200, 0, 0, 1},
	    {NULL, NULL, ALICE, 200, 0, 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct script script = {.challenge = cases[i].challenge,
		    .accepts = cases[i].accepts,
		    .token_status = cases[i].token_status};
		struct err err = ERR_INIT;
		struct fixture f;

		registry_fixture_open(&f, answer, &script, cases[i].entry);
		assert_int_equal(registry_check_login(f.registry, NULL, &err),
		    cases[i].result);
		registry_fixture_close(&f);
		assert_int_equal(script.tokens, cases[i].tokens);
		assert_int_equal(script.pings, cases[i].pings);
		if (cases[i].result == 0)
			continue;
		assert_says(err.msg, "refuses the stored credentials of alice");
		assert_says(err.msg, "docker login 127.0.0.1:");
	}
}

/* What is sent as it is, has nobody's name. */
static void a_token_without_a_name(void **state)
{
	struct script script = {.challenge = BEARER};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script, "{\"registrytoken\":\"r\"}");
	assert_int_equal(registry_check_login(f.registry, NULL, &err), -EACCES);
	registry_fixture_close(&f);
	assert_int_equal(script.tokens, 0);
	assert_says(err.msg, "the stored credentials: log in");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check),
	    cmocka_unit_test(a_token_without_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
