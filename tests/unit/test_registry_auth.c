/* SPDX-License-Identifier: Apache-2.0 */
/* Logging in: tokens, passwords, and refusals of both. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "registry_fixture.h"

#define BEARER "WWW-Authenticate: Bearer realm=\"/token\",service=\"srv\""

/* What the script does, and what it saw. */
struct script {
	const char *challenge;         /* of GET /v2/ and of what is refused */
	const char *request_challenge; /* of other requests; NULL: the same */
	const char *accepts; /* the Authorization that is good for all */
	bool (
	    *token)(struct peer *peer, const char *head, struct script *script);
	atomic_uint tokens; /* requests for one */
	atomic_uint calls;  /* other requests but GET /v2/ */
};

static bool is_ping(const char *head)
{
	return head_is_for(head, "/v2/");
}

static bool refuse(struct peer *peer, const char *challenge)
{
	char fields[512];

	snprintf(fields, sizeof(fields), "%s%s", challenge,
	    *challenge ? "\r\n" : "");
	return peer_reply(peer, 401, fields,
	    "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"who?\"}]}");
}

static bool answer(struct peer *peer, const char *head, void *arg)
{
	struct script *script = arg;
	const char *challenge = script->challenge;

	if (head_is_for(head, "/token")) {
		atomic_fetch_add(&script->tokens, 1);
		return script->token(peer, head, script);
	}
	if (!is_ping(head)) {
		atomic_fetch_add(&script->calls, 1);
		if (script->request_challenge)
			challenge = script->request_challenge;
	}
	if (!script->accepts ||
	    !head_has(head, "Authorization", script->accepts))
		return refuse(peer, challenge);
	return peer_reply(peer, 200, "", "{\"tags\":[\"1.0\"]}");
}

static int count(void *arg, const char *name, struct err *err)
{
	unsigned *n = arg;

	(void)name;
	(void)err;
	(*n)++;
	return 0;
}

static int tags(struct fixture *f, struct err *err)
{
	unsigned n = 0;
	int r = registry_tags(f->registry, "app", count, &n, err);

	if (r == 0) {
		assert_int_equal(n, 1);
		assert_string_equal(err->msg, "");
	}
	return r;
}

static bool anonymous_token(struct peer *peer, const char *head,
    struct script *script)
{
	(void)script;
	EXPECT(peer, head_method_is(head, "GET"));
	EXPECT(peer, head_asks(head, "service=srv"));
	EXPECT(peer, head_asks(head, "scope=repository%3Aapp%3Apull"));
	EXPECT(peer, !head_has_field(head, "Authorization"));
	return peer_reply(peer, 200, "",
	    "{\"token\":\"T\",\"expires_in\":300}");
}

static void anonymous(void **state)
{
	struct script script = {.challenge = BEARER,
	    .accepts = "Bearer T",
	    .token = anonymous_token};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script, NULL);
	assert_int_equal(tags(&f, &err), 0);
	assert_int_equal(tags(&f, &err), 0);
	assert_int_equal(script.tokens, 1);
	assert_int_equal(script.calls, 2);
	registry_fixture_close(&f);
}

static bool token_for_alice(struct peer *peer, const char *head,
    struct script *script)
{
	(void)script;
	EXPECT(peer, head_asks(head, "account=alice"));
	EXPECT(peer, head_has(head, "Authorization", ALICE_BASIC));
	return peer_reply(peer, 200, "", "{\"access_token\":\"T\"}");
}

static void with_password(void **state)
{
	struct script script = {.challenge = BEARER,
	    .accepts = "Bearer T",
	    .token = token_for_alice};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script, ALICE);
	assert_int_equal(tags(&f, &err), 0);
	registry_fixture_close(&f);
}

static bool token_for_identity(struct peer *peer, const char *head,
    struct script *script)
{
	char body[1024] = "", length[16] = "0";

	(void)script;
	EXPECT(peer, head_method_is(head, "POST"));
	EXPECT(peer, !head_has_field(head, "Authorization"));
	EXPECT(peer, head_has(head, "Content-Type",
			 "application/x-www-form-urlencoded"));
	EXPECT(peer,
	    head_field(head, "Content-Length", length, sizeof(length)));
	EXPECT(peer, peer_receive(peer, body, strtoul(length, NULL, 10)));
	EXPECT(peer,
	    strcmp(body,
		"grant_type=refresh_token&client_id=registryfs&service=srv&"
		"scope=repository%3Aapp%3Apull&refresh_token=re%2Ffresh") == 0);
	return peer_reply(peer, 200, "", "{\"access_token\":\"T\"}");
}

static void with_identity_token(void **state)
{
	struct script script = {.challenge = BEARER,
	    .accepts = "Bearer T",
	    .token = token_for_identity};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script,
	    "{\"auth\":\"YTo=\",\"identitytoken\":\"re/fresh\"}");
	assert_int_equal(tags(&f, &err), 0);
	registry_fixture_close(&f);
}

static void with_registry_token(void **state)
{
	struct script script = {.challenge = BEARER, .accepts = "Bearer as-is"};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script,
	    "{\"registrytoken\":\"as-is\"}");
	assert_int_equal(tags(&f, &err), 0);
	assert_int_equal(script.tokens, 0);
	registry_fixture_close(&f);
}

static void with_basic(void **state)
{
	struct script script = {.challenge =
				    "WWW-Authenticate: Basic realm=\"x\"",
	    .accepts = ALICE_BASIC};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script, ALICE);
	assert_int_equal(tags(&f, &err), 0);
	assert_int_equal(script.calls, 1);
	registry_fixture_close(&f);
}

static void no_credentials(void **state)
{
	struct script script = {
	    .challenge = "WWW-Authenticate: Basic realm=\"x\""};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script, NULL);
	assert_int_equal(tags(&f, &err), -EACCES);
	assert_non_null(strstr(err.msg, registry_host(f.registry)));
	assert_non_null(strstr(err.msg, "repository:app:pull"));
	assert_non_null(strstr(err.msg, "registryfs login 127.0.0.1:"));
	assert_int_equal(script.calls, 0);
	registry_fixture_close(&f);
}

static void wrong_password(void **state)
{
	struct script script = {.challenge =
				    "WWW-Authenticate: Basic realm=\"x\"",
	    .accepts = "Basic other"};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script, ALICE);
	assert_int_equal(tags(&f, &err), -EACCES);
	assert_non_null(strstr(err.msg, "password are refused"));
	assert_int_equal(err.http, 401);
	/* The same once more would be a step to a locked account. */
	assert_int_equal(script.calls, 1);
	registry_fixture_close(&f);
}

static bool no_token(struct peer *peer, const char *head, struct script *script)
{
	(void)head;
	(void)script;
	return peer_reply(peer, 401, "", "{\"details\":\"wrong password\"}");
}

static void token_refused(void **state)
{
	struct script script = {.challenge = BEARER, .token = no_token};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script, ALICE);
	assert_int_equal(tags(&f, &err), -EACCES);
	assert_non_null(strstr(err.msg, "wrong password"));
	assert_non_null(strstr(err.msg, "repository:app:pull"));
	assert_non_null(strstr(err.msg, "alice"));
	assert_null(strstr(err.msg, "secret"));
	assert_int_equal(script.tokens, 1);
	assert_int_equal(script.calls, 0);
	registry_fixture_close(&f);
}

static bool login_page(struct peer *peer, const char *head,
    struct script *script)
{
	(void)head;
	(void)script;
	return peer_reply(peer, 200, "", "<html>Please log in</html>");
}

static bool odd_token(struct peer *peer, const char *head,
    struct script *script)
{
	(void)head;
	(void)script;
	return peer_reply(peer, 201, "", "{\"token\":\"hush\"}");
}

static void tokens_that_are_none(void **state)
{
	struct script script = {.challenge = BEARER, .token = login_page};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script, ALICE);
	assert_int_equal(tags(&f, &err), -EIO);
	assert_says(err.msg, "answered 200 with a page: \"Please log in\"");
	/* What may be a token is not shown. */
	script.token = odd_token;
	assert_int_equal(tags(&f, &err), -EIO);
	assert_says(err.msg, "answered 201");
	assert_null(strstr(err.msg, "hush"));
	registry_fixture_close(&f);
}

static bool numbered_token(struct peer *peer, const char *head,
    struct script *script)
{
	char body[64];

	(void)head;
	snprintf(body, sizeof(body), "{\"token\":\"T%u\",\"expires_in\":300}",
	    atomic_load(&script->tokens));
	return peer_reply(peer, 200, "", body);
}

static void insufficient_scope_ends(void **state)
{
	struct script script = {.challenge =
				    BEARER ",error=\"insufficient_scope\"",
	    .token = numbered_token};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script, NULL);
	assert_int_equal(tags(&f, &err), -EACCES);
	assert_non_null(strstr(err.msg, "repository:app:pull"));
	assert_non_null(strstr(err.msg, "who?"));
	assert_int_equal(script.tokens, 2);
	assert_int_equal(script.calls, 2);
	registry_fixture_close(&f);
}

static void revoked_token_is_renewed(void **state)
{
	struct script script = {.challenge = BEARER,
	    .accepts = "Bearer T1",
	    .token = numbered_token};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script, NULL);
	assert_int_equal(tags(&f, &err), 0);
	script.accepts = "Bearer T2";
	assert_int_equal(tags(&f, &err), 0);
	assert_int_equal(tags(&f, &err), 0);
	assert_int_equal(script.tokens, 2);
	assert_int_equal(script.calls, 4);
	registry_fixture_close(&f);
}

static bool token_for_both(struct peer *peer, const char *head,
    struct script *script)
{
	if (head_asks(head, "scope=repository%3Aapp%3Ametadata_read"
			    "&scope=repository%3Aapp%3Apull"))
		return peer_reply(peer, 200, "", "{\"token\":\"T\"}");
	return numbered_token(peer, head, script);
}

static void scope_of_the_challenge(void **state)
{
	struct script script = {.challenge = BEARER,
	    .request_challenge =
		BEARER ",scope=\"repository:app:metadata_read\"",
	    .accepts = "Bearer T",
	    .token = token_for_both};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script, NULL);
	assert_int_equal(tags(&f, &err), 0);
	assert_int_equal(script.tokens, 2);
	registry_fixture_close(&f);
}

static void challenge_of_ping_alone(void **state)
{
	struct script script = {.challenge = BEARER,
	    .request_challenge = "",
	    .accepts = "Bearer T2",
	    .token = numbered_token};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script, NULL);
	assert_int_equal(tags(&f, &err), 0);
	assert_int_equal(script.tokens, 2);
	registry_fixture_close(&f);
}

static void basic_beside_a_token_that_is_refused(void **state)
{
	struct script script = {.challenge = BEARER ", Basic realm=\"x\"",
	    .accepts = ALICE_BASIC,
	    .token = no_token};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script, ALICE);
	assert_int_equal(tags(&f, &err), 0);
	registry_fixture_close(&f);
}

static void bad_realms(void **state)
{
	static const char *const challenges[] = {
	    "WWW-Authenticate: Bearer realm=\"ftp://localhost/token\"",
	    "WWW-Authenticate: Bearer realm=\"file:///etc/passwd\"",
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct script script = {.challenge = challenges[i]};
		struct err err = ERR_INIT;
		struct fixture f;

		registry_fixture_open(&f, answer, &script, ALICE);
		assert_int_equal(tags(&f, &err), -EINVAL);
		assert_int_equal(script.calls, 0);
		registry_fixture_close(&f);
	}
}

static void *thread_tags(void *arg)
{
	struct err err = ERR_INIT;

	return tags(arg, &err) == 0 ? arg : NULL;
}

static void one_token_for_many_threads(void **state)
{
	struct script script = {.challenge = BEARER,
	    .accepts = "Bearer T",
	    .token = anonymous_token};
	pthread_t threads[8];
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &script, NULL);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, thread_tags,
				     &f),
		    0);
	for (int i = 0; i < 8; i++) {
		void *result;

		pthread_join(threads[i], &result);
		assert_ptr_equal(result, &f);
	}
	assert_int_equal(script.tokens, 1);
	assert_int_equal(script.calls, 8);
	registry_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(anonymous),
	    cmocka_unit_test(with_password),
	    cmocka_unit_test(with_identity_token),
	    cmocka_unit_test(with_registry_token),
	    cmocka_unit_test(with_basic),
	    cmocka_unit_test(no_credentials),
	    cmocka_unit_test(wrong_password),
	    cmocka_unit_test(token_refused),
	    cmocka_unit_test(tokens_that_are_none),
	    cmocka_unit_test(insufficient_scope_ends),
	    cmocka_unit_test(revoked_token_is_renewed),
	    cmocka_unit_test(scope_of_the_challenge),
	    cmocka_unit_test(challenge_of_ping_alone),
	    cmocka_unit_test(basic_beside_a_token_that_is_refused),
	    cmocka_unit_test(bad_realms),
	    cmocka_unit_test(one_token_for_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
