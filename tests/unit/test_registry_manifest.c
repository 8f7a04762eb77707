/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests. */
#include <errno.h>

#include "oci/manifest.h"
#include "registry_fixture.h"

#define BODY "{\"schemaVersion\":2}"

static void digest_text(const char *body, char out[DIGEST_TEXT_SIZE])
{
	struct digest digest;
	struct err err = ERR_INIT;

	digest_of(DIGEST_SHA256, body, strlen(body), &digest, &err);
	digest_format(&digest, out);
}

/* What a request for a manifest of each of these repositories gets. */
static bool answer(struct peer *peer, const char *head, void *arg)
{
	bool is_head = head_method_is(head, "HEAD");
	char fields[256], digest[DIGEST_TEXT_SIZE];

	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	EXPECT(peer, strstr(head, MEDIA_OCI_INDEX ", " MEDIA_OCI_MANIFEST));
	EXPECT(peer, strstr(head, MEDIA_DOCKER_SCHEMA1_SIGNED));
	digest_text(BODY, digest);
	if (head_asks(head, "/v2/missing/"))
		return peer_reply(peer, 404, "",
		    is_head ? ""
			    : "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\""
			      ",\"message\":\"manifest unknown\"}]}");
	if (head_asks(head, "/v2/nohead/") && is_head)
		return peer_reply(peer, 405, "", "");
	if (head_asks(head, "/v2/schema1/"))
		snprintf(fields, sizeof(fields), "Content-Type: %s\r\n",
		    MEDIA_DOCKER_SCHEMA1_SIGNED);
	else if (head_asks(head, "/v2/nodigest/"))
		snprintf(fields, sizeof(fields),
		    "Content-Type: a/b;charset=utf-8\r\n");
	else if (head_asks(head, "/v2/liar/"))
		snprintf(fields, sizeof(fields),
		    "Docker-Content-Digest: sha256:%064d\r\n", 0);
	else
		snprintf(fields, sizeof(fields),
		    "Content-Type: a/b\r\nDocker-Content-Digest: %s\r\n",
		    digest);
	return peer_reply(peer, 200, fields, is_head ? "" : BODY);
}

static int setup(void **state)
{
	*state = malloc(sizeof(struct fixture));
	fixture_open(*state, answer, NULL, NULL);
	return 0;
}

static int teardown(void **state)
{
	fixture_close(*state);
	free(*state);
	return 0;
}

typedef int ask_fn(struct registry *registry, const char *repository,
    const char *reference, struct registry_manifest *out, struct err *err);

/* Asks and asserts what comes: BODY's digest, or the failure. */
static void check(struct fixture *f, ask_fn *ask, const char *repository,
    const char *reference, int code)
{
	struct registry_manifest manifest = {0};
	struct err err = ERR_INIT;
	char want[DIGEST_TEXT_SIZE], got[DIGEST_TEXT_SIZE];
	int r = ask(f->registry, repository, reference, &manifest, &err);

	assert_int_equal(r, -code);
	if (code) {
		assert_non_null(strstr(err.msg, repository));
		assert_int_equal(manifest.body.len, 0);
		return;
	}
	digest_text(BODY, want);
	assert_string_equal(digest_format(&manifest.digest, got), want);
	assert_int_equal(manifest.body.len,
	    ask == registry_manifest_get ? strlen(BODY) : 0);
	buf_release(&manifest.body);
}

static void get_by_tag(void **state)
{
	check(*state, registry_manifest_get, "app", "1.0", 0);
	check(*state, registry_manifest_get, "nodigest", "1.0", 0);
	/* The bytes are what counts. */
	check(*state, registry_manifest_get, "liar", "1.0", 0);
	check(*state, registry_manifest_get, "missing", "1.0", ENOENT);
}

static void get_by_digest(void **state)
{
	char digest[DIGEST_TEXT_SIZE];

	digest_text(BODY, digest);
	check(*state, registry_manifest_get, "app", digest, 0);
	digest_text("other", digest);
	check(*state, registry_manifest_get, "app", digest, EBADMSG);
	/* Of these the digest is not that of the bytes. */
	check(*state, registry_manifest_get, "schema1", digest, ENOTSUP);
}

static void head(void **state)
{
	struct fixture *f = *state;
	unsigned before = server_requests(f->server);

	check(f, registry_manifest_head, "app", "1.0", 0);
	assert_int_equal(server_requests(f->server), before + 1);
	check(f, registry_manifest_head, "missing", "1.0", ENOENT);
	assert_int_equal(server_requests(f->server), before + 2);
	/* Then a GET tells. */
	check(f, registry_manifest_head, "nodigest", "1.0", 0);
	check(f, registry_manifest_head, "nohead", "1.0", 0);
	assert_int_equal(server_requests(f->server), before + 6);
}

static void media_type(void **state)
{
	struct fixture *f = *state;
	struct registry_manifest manifest = {0};
	struct err err = ERR_INIT;

	assert_int_equal(registry_manifest_get(f->registry, "nodigest", "1.0",
			     &manifest, &err),
	    0);
	assert_string_equal(manifest.media_type, "a/b");
	buf_release(&manifest.body);
	assert_int_equal(registry_manifest_get(f->registry, "liar", "1.0",
			     &manifest, &err),
	    0);
	assert_string_equal(manifest.media_type, "");
	buf_release(&manifest.body);
}

static bool take(struct peer *peer, const char *head, void *arg)
{
	char body[sizeof(BODY)] = "", fields[256], digest[DIGEST_TEXT_SIZE];

	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	EXPECT(peer, head_method_is(head, "PUT"));
	EXPECT(peer, head_has(head, "Content-Type", MEDIA_OCI_MANIFEST));
	peer_receive(peer, body, strlen(BODY));
	EXPECT(peer, strcmp(body, BODY) == 0);
	if (head_asks(head, "/v2/immutable/"))
		return peer_reply(peer, 412, "",
		    "{\"errors\":[{\"code\":\"PRECONDITION\",\"message\":"
		    "\"configured as immutable\"}]}");
	if (head_asks(head, "/v2/incomplete/"))
		return peer_reply(peer, 400, "",
		    "{\"errors\":[{\"code\":\"MANIFEST_BLOB_UNKNOWN\","
		    "\"message\":\"blob unknown\"}]}");
	digest_text(head_asks(head, "/v2/other/") ? "x" : BODY, digest);
	snprintf(fields, sizeof(fields), "Docker-Content-Digest: %s\r\n%s",
	    digest,
	    head_asks(head, "/v2/listing/") ? "OCI-Subject: sha256:1\r\n" : "");
	return peer_reply(peer, 201, fields, "");
}

static void put(void **state)
{
	static const struct {
		const char *repository, *media_type;
		int result;
		const char *says;
	} cases[] = {
	    {"app", MEDIA_OCI_MANIFEST, 0, ""},
	    /* It lists what refers to the subject. */
	    {"listing", MEDIA_OCI_MANIFEST, 1, ""},
	    {"other", MEDIA_OCI_MANIFEST, -EBADMSG, "other:1.0"},
	    {"immutable", MEDIA_OCI_MANIFEST, -EPERM,
		"configured as immutable"},
	    {"incomplete", MEDIA_OCI_MANIFEST, -EINVAL, "blob unknown"},
	    {"app", "a/b\r\nX-Evil: 1", -EINVAL, "media type"},
	};
	struct digest digest;
	struct fixture f;
	struct err err = ERR_INIT;

	(void)state;
	digest_of(DIGEST_SHA256, BODY, strlen(BODY), &digest, &err);
	fixture_open(&f, take, NULL, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(registry_manifest_put(f.registry,
				     cases[i].repository, "1.0",
				     cases[i].media_type, BODY, strlen(BODY),
				     &digest, &err),
		    cases[i].result);
		assert_non_null(strstr(err.msg, cases[i].says));
	}
	fixture_close(&f);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(get_by_tag),
	    TEST(get_by_digest),
	    TEST(head),
	    TEST(media_type),
	    cmocka_unit_test(put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
