/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads and mounts. */
#include <errno.h>
#include <stdatomic.h>

#include "registry_fixture.h"

#define CONTENT "the content of a blob"
#define BEARER "WWW-Authenticate: Bearer realm=\"/token\",service=\"s\"\r\n"

/* How the server behaves, and what it saw. */
struct script {
	const char *location; /* of sessions; "http" begins a url of `other` */
	struct server *other;
	int put_status;       /* of the first PUT with a body; 0: 201 */
	const char *put_body; /* of the refusal */
	bool put_for_ever;  /* each PUT with a body, and not the first alone */
	const char *digest; /* that an end names; NULL: none */
	unsigned lifetime;  /* requests that a token is good for; 0: no auth */
	atomic_uint tokens, used, posts, puts, patches, deletes, received;
};

static size_t body_length(const char *head)
{
	char length[16] = "0";

	head_field(head, "Content-Length", length, sizeof(length));
	return strtoul(length, NULL, 10);
}

/* Whether the request has a token that is still good. */
static bool is_let_in(const char *head, struct script *script)
{
	char want[32];

	if (!script->lifetime)
		return true;
	snprintf(want, sizeof(want), "Bearer T%u",
	    atomic_load(&script->tokens));
	return head_has(head, "Authorization", want) &&
	       atomic_fetch_add(&script->used, 1) < script->lifetime;
}

static bool give_token(struct peer *peer, struct script *script)
{
	char body[64];

	atomic_store(&script->used, 0);
	snprintf(body, sizeof(body), "{\"token\":\"T%u\",\"expires_in\":300}",
	    atomic_fetch_add(&script->tokens, 1) + 1);
	return peer_reply(peer, 200, "", body);
}

static bool send_location(struct peer *peer, struct script *script,
    const char *more)
{
	char fields[600];

	snprintf(fields, sizeof(fields), "Location: %s%s\r\n",
	    script->other ? server_url(script->other, script->location)
			  : script->location,
	    more);
	return peer_reply(peer, 202, fields, "");
}

static bool take_body(struct peer *peer, const char *head,
    struct script *script)
{
	char body[sizeof(CONTENT)] = "";
	size_t len = body_length(head);

	if (len == 0)
		return true;
	if (len >= sizeof(body) || !peer_receive(peer, body, len))
		return false;
	atomic_fetch_add(&script->received, strcmp(body, CONTENT) == 0);
	return true;
}

static bool end_session(struct peer *peer, const char *head,
    struct script *script)
{
	char fields[256] = "";
	bool has_body = body_length(head) > 0;
	unsigned number = atomic_fetch_add(&script->puts, 1);

	EXPECT(peer, head_asks(head, "digest=sha256:"));
	EXPECT(peer, head_asks(head, "_state=a%2Bb%3D%3D") ||
			 !strchr(script->location, '?'));
	if (script->put_status && has_body &&
	    (number == 0 || script->put_for_ever))
		return peer_reply(peer, script->put_status, "",
		    script->put_body ? script->put_body : "");
	if (script->digest)
		snprintf(fields, sizeof(fields),
		    "Docker-Content-Digest: %s\r\n", script->digest);
	return peer_reply(peer, 201, fields, "");
}

static bool answer(struct peer *peer, const char *head, void *arg)
{
	struct script *script = arg;

	if (head_is_for(head, "/token"))
		return give_token(peer, script);
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, script->lifetime ? 401 : 200,
		    script->lifetime ? BEARER : "", "");
	if (!take_body(peer, head, script))
		return false;
	if (!is_let_in(head, script))
		return peer_reply(peer, 401, BEARER, "");
	if (head_method_is(head, "POST")) {
		EXPECT(peer, head_has(head, "Content-Length", "0"));
		atomic_fetch_add(&script->posts, 1);
		return send_location(peer, script, "");
	}
	if (head_method_is(head, "PATCH")) {
		atomic_fetch_add(&script->patches, 1);
		return send_location(peer, script, "");
	}
	if (head_method_is(head, "DELETE")) {
		atomic_fetch_add(&script->deletes, 1);
		return peer_reply(peer, 204, "", "");
	}
	/* Whether the blob is there after all. */
	if (head_method_is(head, "HEAD"))
		return peer_reply(peer, 404, "", "");
	return end_session(peer, head, script);
}

static int upload(struct fixture *f, struct err *err)
{
	struct payload body = {.data = CONTENT, .size = strlen(CONTENT)};
	struct digest digest;

	digest_of(DIGEST_SHA256, CONTENT, strlen(CONTENT), &digest, err);
	return registry_blob_upload(f->registry, "app", &digest, &body, err);
}

static void succeeds(struct script *script)
{
	struct err err = ERR_INIT;
	struct fixture f;
	int r;

	fixture_open(&f, answer, script, NULL);
	r = upload(&f, &err);
	fixture_close(&f);
	assert_string_equal(err.msg, "");
	assert_int_equal(r, 0);
}

static void fails(struct script *script, int code, const char *says)
{
	struct err err = ERR_INIT;
	struct fixture f;
	int r;

	fixture_open(&f, answer, script, NULL);
	r = upload(&f, &err);
	fixture_close(&f);
	assert_int_equal(r, -code);
	if (!strstr(err.msg, says))
		print_error("%s\n", err.msg);
	assert_non_null(strstr(err.msg, says));
}

static void whole(void **state)
{
	struct script script = {.location = "/up?_state=a%2Bb%3D%3D"};

	(void)state;
	succeeds(&script);
	assert_int_equal(script.posts, 1);
	assert_int_equal(script.puts, 1);
	assert_int_equal(script.received, 1);
	assert_int_equal(script.patches, 0);
	assert_int_equal(script.deletes, 0);
}

static void location_without_query(void **state)
{
	struct script script = {.location = "/up/session"};

	(void)state;
	succeeds(&script);
	assert_int_equal(script.puts, 1);
}

static void location_relative_to_the_request(void **state)
{
	struct script script = {.location = "session"};

	(void)state;
	succeeds(&script);
	assert_int_equal(script.puts, 1);
}

static void location_that_lost_its_port(void **state)
{
	struct script script = {.location = "http://127.0.0.1/up"};

	(void)state;
	succeeds(&script);
	assert_int_equal(script.puts, 1);
}

/* Answers an upload elsewhere, and notes who sees our token. */
static bool elsewhere(struct peer *peer, const char *head, void *arg)
{
	atomic_uint *tokens = arg;

	if (head_has_field(head, "Authorization"))
		atomic_fetch_add(tokens, 1);
	peer_receive(peer, NULL, body_length(head));
	return peer_reply(peer, 201, "", "");
}

static void location_elsewhere_gets_no_token(void **state)
{
	atomic_uint tokens = 0;
	struct server *other = server_start(elsewhere, &tokens);
	struct script script = {.location = "/up",
	    .other = other,
	    .lifetime = 10};

	(void)state;
	succeeds(&script);
	assert_int_equal(script.puts, 0);
	assert_int_equal(server_requests(other), 1);
	assert_int_equal(tokens, 0);
	server_stop(other);
}

static void no_location(void **state)
{
	struct script script = {.location = ""};

	(void)state;
	fails(&script, EIO, "no place to upload");
}

static void token_ends_in_the_middle(void **state)
{
	struct script script = {.location = "/up", .lifetime = 1};

	(void)state;
	succeeds(&script);
	/* The POST used the first one up, and the PUT was made again. */
	assert_int_equal(script.tokens, 2);
	assert_int_equal(script.received, 2);
	assert_int_equal(script.posts, 1);
	assert_int_equal(script.puts, 1);
}

static void whole_is_refused(void **state)
{
	static const struct {
		int status;
		const char *body;
	} cases[] = {
	    {404, ""},
	    {405, ""},
	    {415, ""},
	    {416, ""},
	    {400, "{\"errors\":[{\"code\":\"UNSUPPORTED\"}]}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct script script = {.location = "/up?_state=a%2Bb%3D%3D",
		    .put_status = cases[i].status,
		    .put_body = cases[i].body,
		    .put_for_ever = true};

		succeeds(&script);
		assert_int_equal(script.posts, 2);
		assert_int_equal(script.patches, 1);
		assert_int_equal(script.puts, 2);
		assert_int_equal(script.received, 2);
		assert_int_equal(script.deletes, 1);
	}
}

static void patch_is_remembered(void **state)
{
	struct script script = {.location = "/up",
	    .put_status = 405,
	    .put_for_ever = true};
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	fixture_open(&f, answer, &script, NULL);
	assert_int_equal(upload(&f, &err), 0);
	assert_int_equal(upload(&f, &err), 0);
	assert_int_equal(script.patches, 2);
	assert_int_equal(script.posts, 3);
	fixture_close(&f);
}

static void failure_of_the_server_passes(void **state)
{
	struct script script = {.location = "/up", .put_status = 502};

	(void)state;
	succeeds(&script);
	/* Nobody knows what the first session holds. */
	assert_int_equal(script.posts, 2);
	assert_int_equal(script.puts, 2);
	assert_int_equal(script.deletes, 1);
}

static void failure_of_the_server_stays(void **state)
{
	struct script script = {.location = "/up",
	    .put_status = 502,
	    .put_for_ever = true};

	(void)state;
	fails(&script, EIO, "502");
	assert_int_equal(script.puts, 3);
	assert_int_equal(script.deletes, 3);
}

static void refused(void **state)
{
	struct script script = {.location = "/up",
	    .put_status = 400,
	    .put_body = "{\"errors\":[{\"code\":\"DIGEST_INVALID\",\"message\":"
			"\"digest mismatch\"}]}"};

	(void)state;
	fails(&script, EINVAL, "digest mismatch");
	assert_int_equal(script.puts, 1);
	assert_int_equal(script.deletes, 1);
}

static void stored_as_something_else(void **state)
{
	struct script script = {.location = "/up",
	    .digest = "sha256:00000000000000000000000000000000"
		      "00000000000000000000000000000000"};

	(void)state;
	fails(&script, EBADMSG, "stored as");
}

struct mounts {
	int status;
	atomic_uint deletes;
};

static bool answer_mount(struct peer *peer, const char *head, void *arg)
{
	struct mounts *mounts = arg;

	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 401, BEARER, "");
	if (head_is_for(head, "/token")) {
		EXPECT(peer, head_asks(head, "repository%3Aapp%3Apull%2Cpush"));
		EXPECT(peer,
		    head_asks(head, "repository%3Afrom%2Fhere%3Apull"));
		return peer_reply(peer, 200, "", "{\"token\":\"T\"}");
	}
	if (head_method_is(head, "DELETE")) {
		atomic_fetch_add(&mounts->deletes, 1);
		return peer_reply(peer, 204, "", "");
	}
	EXPECT(peer, head_asks(head, "?mount=sha256:"));
	EXPECT(peer, head_asks(head, "&from=from%2Fhere "));
	return peer_reply(peer, mounts->status, "Location: /up\r\n", "");
}

static void mount(void **state)
{
	static const struct {
		int status, result;
		unsigned deletes;
	} cases[] = {{201, 1, 0}, {202, 0, 1}, {404, 0, 0}, {405, 0, 0}};
	struct digest digest;
	struct err err = ERR_INIT;

	(void)state;
	digest_of(DIGEST_SHA256, "x", 1, &digest, &err);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mounts mounts = {.status = cases[i].status};
		struct fixture f;

		fixture_open(&f, answer_mount, &mounts, NULL);
		assert_int_equal(registry_blob_mount(f.registry, "app", &digest,
				     "from/here", &err),
		    cases[i].result);
		assert_int_equal(mounts.deletes, cases[i].deletes);
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole),
	    cmocka_unit_test(location_without_query),
	    cmocka_unit_test(location_relative_to_the_request),
	    cmocka_unit_test(location_that_lost_its_port),
	    cmocka_unit_test(location_elsewhere_gets_no_token),
	    cmocka_unit_test(no_location),
	    cmocka_unit_test(token_ends_in_the_middle),
	    cmocka_unit_test(whole_is_refused),
	    cmocka_unit_test(patch_is_remembered),
	    cmocka_unit_test(failure_of_the_server_passes),
	    cmocka_unit_test(failure_of_the_server_stays),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(stored_as_something_else),
	    cmocka_unit_test(mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
