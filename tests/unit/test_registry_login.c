/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a registry takes the stored credentials. */
#include <errno.h>
#include <stdatomic.h>

#include "creds/secret.h"
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
		assert_says(err.msg, "registryfs login 127.0.0.1:");
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

/* A token server that gives a token to stand for the password. */
struct offline {
	const char *answer;    /* to alice's password */
	int identity_status;   /* what it says to that token */
	atomic_uint passwords; /* and how often it was asked with which */
	atomic_uint identities;
};

static bool answer_offline(struct peer *peer, const char *head, void *arg)
{
	struct offline *offline = arg;

	if (head_is_for(head, "/token") && head_method_is(head, "POST")) {
		atomic_fetch_add(&offline->identities, 1);
		return peer_reply(peer, offline->identity_status, "",
		    "{\"access_token\":\"T\"}");
	}
	if (head_is_for(head, "/token")) {
		atomic_fetch_add(&offline->passwords, 1);
		EXPECT(peer, head_asks(head, "offline_token=true"));
		EXPECT(peer, head_has(head, "Authorization", ALICE_BASIC));
		return peer_reply(peer, 200, "", offline->answer);
	}
	if (head_has(head, "Authorization", "Bearer T"))
		return peer_reply(peer, 200, "", "{}");
	return peer_reply(peer, 401, BEARER, "");
}

static void a_token_for_a_password(void **state)
{
	static const struct {
		const char *answer;
		int identity_status;
		const char *identity;
	} cases[] = {
	    {"{\"token\":\"T\",\"refresh_token\":\"R\"}", 200, "R"},
	    {"{\"token\":\"T\",\"refresh_token\":\"R\"}", 401, NULL},
	    {"{\"token\":\"T\",\"refresh_token\":\"\"}", 200, NULL},
	    {"{\"token\":\"T\",\"refresh_token\":7}", 200, NULL},
	    {"{\"token\":\"T\"}", 200, NULL},
	};
	char user[] = "alice", password[] = "secret";
	const struct credential alice = {user, password, NULL, NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct offline offline = {.answer = cases[i].answer,
		    .identity_status = cases[i].identity_status};
		AUTO_SECRET char *identity = NULL;
		struct err err = ERR_INIT;
		struct fixture f;

		registry_fixture_open(&f, answer_offline, &offline, NULL);
		assert_int_equal(registry_try_login(f.registry, &alice,
				     &identity, &err),
		    1);
		registry_fixture_close(&f);
		assert_int_equal(offline.passwords, 1);
		if (cases[i].identity)
			assert_string_equal(identity, cases[i].identity);
		else
			assert_null(identity);
	}
}

static void try(void **state)
{
	static const struct {
		const char *challenge, *accepts;
		int token_status, result;
		const char *says;
	} cases[] = {
	    {BASIC, ALICE_BASIC, 0, 1, NULL},
	    {BASIC, NULL, 0, -EACCES, "refuses the user or the password"},
	    {BEARER, "Bearer T", 200, 1, NULL},
	    {BEARER, NULL, 200, -EACCES, "refuses the user or the password"},
	    {BEARER, NULL, 401, -EACCES, "refuses the user or the password"},
	    {BEARER, NULL, 503, -EIO, "cannot log in to 127.0.0.1:"},
	    {NULL, NULL, 0, 0, NULL},
	};
	char user[] = "alice", password[] = "secret";
	const struct credential alice = {user, password, NULL, NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct script script = {.challenge = cases[i].challenge,
		    .accepts = cases[i].accepts,
		    .token_status = cases[i].token_status};
		AUTO_SECRET char *identity = NULL;
		struct err err = ERR_INIT;
		struct fixture f;
		int r;

		registry_fixture_open(&f, answer, &script, NULL);
		r = registry_try_login(f.registry, &alice, &identity, &err);
		registry_fixture_close(&f);
		if (cases[i].says)
			assert_says(err.msg, cases[i].says);
		assert_int_equal(r, cases[i].result);
		assert_null(strstr(err.msg, "secret"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check),
	    cmocka_unit_test(a_token_without_a_name),
	    cmocka_unit_test(a_token_for_a_password),
	    cmocka_unit_test(try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
