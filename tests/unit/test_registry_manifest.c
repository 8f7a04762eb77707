/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests. */
#include <errno.h>

#include "oci/manifest.h"
#include "registry_fixture.h"

#define BODY "{\"schemaVersion\":2,\"layers\":[]}"
#define NO_MANIFEST "{\"name\":\"x\"}"

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
	if (head_asks(head, "/v2/none/"))
		return peer_reply(peer, 200, "", is_head ? "" : NO_MANIFEST);
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

static void check_digest(const struct digest *digest)
{
	char want[DIGEST_TEXT_SIZE], got[DIGEST_TEXT_SIZE];

	digest_text(BODY, want);
	assert_string_equal(digest_format(digest, got), want);
}

/* Asks and asserts what comes: BODY's digest, or the failure. */
static void check_get(struct fixture *f, const char *repository,
    const char *reference, int code)
{
	struct source_manifest manifest = {0};
	struct err err = ERR_INIT;

	assert_int_equal(registry_manifest_get(f->registry, repository,
			     reference, &manifest, &err),
	    -code);
	if (code) {
		assert_non_null(strstr(err.msg, repository));
		assert_int_equal(manifest.body.len, 0);
		return;
	}
	check_digest(&manifest.digest);
	assert_int_equal(manifest.body.len, strlen(BODY));
	buf_release(&manifest.body);
}

static void check_head(struct fixture *f, const char *repository,
    const char *reference, int code)
{
	struct err err = ERR_INIT;
	struct digest digest;

	assert_int_equal(registry_manifest_head(f->registry, repository,
			     reference, &digest, &err),
	    -code);
	if (code)
		assert_non_null(strstr(err.msg, repository));
	else
		check_digest(&digest);
}

static void get_by_tag(void **state)
{
	check_get(*state, "app", "1.0", 0);
	check_get(*state, "nodigest", "1.0", 0);
	/* The bytes are what counts. */
	check_get(*state, "liar", "1.0", 0);
	check_get(*state, "missing", "1.0", ENOENT);
	check_get(*state, "none", "1.0", EIO);
}

static void get_by_digest(void **state)
{
	char digest[DIGEST_TEXT_SIZE];

	digest_text(BODY, digest);
	check_get(*state, "app", digest, 0);
	digest_text("other", digest);
	check_get(*state, "app", digest, EBADMSG);
	/* Of these the digest is not that of the bytes. */
	check_get(*state, "schema1", digest, ENOTSUP);
}

static void head(void **state)
{
	struct fixture *f = *state;
	unsigned before = server_requests(f->server);

	check_head(f, "app", "1.0", 0);
	assert_int_equal(server_requests(f->server), before + 1);
	check_head(f, "missing", "1.0", ENOENT);
	assert_int_equal(server_requests(f->server), before + 2);
	/* Then a GET tells. */
	check_head(f, "nodigest", "1.0", 0);
	check_head(f, "nohead", "1.0", 0);
	assert_int_equal(server_requests(f->server), before + 6);
	check_head(f, "none", "1.0", EIO);
}

static void media_type(void **state)
{
	struct fixture *f = *state;
	struct source_manifest manifest = {0};
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

/* A registry with one tag, and what stands in front of it and answers in its
 * place. */
struct odd {
	int status;       /* of the answer to a PUT or DELETE; 0: it breaks */
	const char *body; /* of that */
	bool does;        /* the registry gets it */
	bool portal;      /* so is everything else answered, too */
	bool there;       /* the tag names BODY; else nothing, or */
	bool other;       /* something else */
};

static bool shows(struct peer *peer, const char *head, const struct odd *odd)
{
	char fields[256], digest[DIGEST_TEXT_SIZE];
	bool is_head = head_method_is(head, "HEAD");

	if (!odd->there && !odd->other)
		return peer_reply(peer, 404, "",
		    is_head ? ""
			    : "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\""
			      "}]}");
	digest_text(odd->there ? BODY : "x", digest);
	snprintf(fields, sizeof(fields), "Docker-Content-Digest: %s\r\n",
	    digest);
	return peer_reply(peer, 200, fields, is_head ? "" : BODY);
}

static bool answer_oddly(struct peer *peer, const char *head, void *arg)
{
	struct odd *odd = arg;
	bool put = head_method_is(head, "PUT");

	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	if (put)
		peer_receive(peer, NULL, strlen(BODY));
	if (!put && !head_method_is(head, "DELETE")) {
		if (!odd->portal)
			return shows(peer, head, odd);
		return peer_reply(peer, odd->status, "",
		    head_method_is(head, "HEAD") ? "" : odd->body);
	}
	if (odd->does)
		odd->there = put;
	if (odd->status)
		return peer_reply(peer, odd->status,
		    put ? "OCI-Subject: sha256:1\r\n" : "", odd->body);
	peer_reset(peer);
	return false;
}

#define PAGE "<html><body><h1>Please log in</h1>to the WiFi</body></html>"

static void odd_puts(void **state)
{
	static const struct {
		struct odd odd;
		int result;
		const char *says;
	} cases[] = {
	    {{.status = 200, .body = PAGE, .does = true}, 1, ""},
	    {{.status = 202, .body = "", .does = true}, 1, ""},
	    {{.status = 204, .body = "", .does = true}, 1, ""},
	    {{.status = 307, .body = "", .does = true}, 1, ""},
	    {{.status = 0, .body = "", .does = true}, 0, ""},
	    {{.status = 504, .body = "", .does = true}, 1, ""},
	    {{.status = 200, .body = PAGE}, -EIO,
		"answered 200 with a page: "
		"\"Please log in to the WiFi\""},
	    {{.status = 200, .body = "", .other = true}, -EIO,
		"answered 200 with nothing"},
	    {{.status = 200, .body = "{}"}, -EIO, "answered 200 with \"{}\""},
	    {{.status = 204, .body = ""}, -EIO, "answered 204 with nothing"},
	    {{.status = 302, .body = ""}, -EIO, "answered 302 with nothing"},
	    {{.status = 0, .body = ""}, -ECONNRESET, "was not stored"},
	    {{.status = 502, .body = PAGE}, -EIO, "was not stored"},
	    /* What answers everything so is no proof. */
	    {{.status = 200, .body = PAGE, .portal = true}, -EIO, "not known"},
	    {{.status = 200, .body = "{}", .portal = true}, -EIO, "not known"},
	    {{.status = 204, .body = "", .portal = true}, -EIO, "not known"},
	    /* What the registry refuses, it has not done. */
	    {{.status = 500, .body = "", .does = true}, -EIO, "status 500"},
	    {{.status = 404, .body = "", .does = true}, -ENOENT, "status 404"},
	};
	struct digest digest;
	struct err err = ERR_INIT;

	(void)state;
	digest_of(DIGEST_SHA256, BODY, strlen(BODY), &digest, &err);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct odd odd = cases[i].odd;
		struct err failure = ERR_INIT;
		struct fixture f;

		fixture_open(&f, answer_oddly, &odd, NULL);
		assert_int_equal(registry_manifest_put(f.registry, "app", "1.0",
				     MEDIA_OCI_MANIFEST, BODY, strlen(BODY),
				     &digest, &failure),
		    cases[i].result);
		assert_says(failure.msg, cases[i].says);
		fixture_close(&f);
	}
}

static void odd_deletes(void **state)
{
	static const struct {
		struct odd odd;
		int deleted, removed;
		const char *says;
	} cases[] = {
	    {{.status = 202, .body = "", .does = true}, 0, 0, ""},
	    {{.status = 200, .body = PAGE, .does = true}, 0, 0, ""},
	    {{.status = 204, .body = "", .does = true}, 0, 0, ""},
	    {{.status = 0, .body = "", .does = true}, 0, 0, ""},
	    {{.status = 404, .body = "", .does = true}, -ENOENT, 0, ""},
	    {{.status = 200, .body = PAGE, .there = true}, -EIO, -EIO,
		"answered 200 with a page"},
	    {{.status = 200, .body = "{}", .there = true}, -EIO, -EIO,
		"was not removed"},
	    {{.status = 204, .body = "", .there = true}, -EIO, -EIO,
		"was not removed"},
	    {{.status = 404, .body = "", .there = true}, -ENOENT, -EIO, "404"},
	    {{.status = 405, .body = "", .there = true}, -EOPNOTSUPP,
		-EOPNOTSUPP, "405"},
	    {{.status = 0, .body = "", .there = true}, -ECONNRESET, -ECONNRESET,
		"was not removed"},
	    {{.status = 200, .body = PAGE, .portal = true}, -EIO, -EIO,
		"not known"},
	    {{.status = 200, .body = "{}", .portal = true}, -EIO, -EIO,
		"not known"},
	    {{.status = 404, .body = PAGE, .portal = true}, -ENOENT, -EIO,
		"404"},
	    {{.status = 404, .body = "{}", .portal = true}, -ENOENT, -EIO,
		"404"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (int remove = 0; remove < 2; remove++) {
			struct odd odd = cases[i].odd;
			struct err failure = ERR_INIT;
			struct fixture f;
			int r;

			odd.there |= odd.does;
			fixture_open(&f, answer_oddly, &odd, NULL);
			r = remove ? registry_manifest_remove(f.registry, "app",
					 "1.0", &failure)
				   : registry_manifest_delete(f.registry, "app",
					 "1.0", &failure);
			assert_int_equal(r,
			    remove ? cases[i].removed : cases[i].deleted);
			if (r < 0)
				assert_says(failure.msg, cases[i].says);
			fixture_close(&f);
		}
	}
}

static void look(void **state)
{
	static const struct {
		struct odd odd;
		int result;
		const char *says;
	} cases[] = {
	    {{.there = true}, 1, ""},
	    {{.there = false}, 0, ""},
	    {{.status = 404, .body = "404 page not found\n", .portal = true},
		-EIO, "404 page not found"},
	    {{.status = 404, .body = PAGE, .portal = true}, -EIO,
		"answered 404 with a page"},
	    {{.status = 200, .body = PAGE, .portal = true}, -EIO,
		"answered 200 with a page"},
	    {{.status = 503, .body = "", .portal = true}, -EIO, "503"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct odd odd = cases[i].odd;
		struct err failure = ERR_INIT;
		struct digest digest;
		struct fixture f;

		fixture_open(&f, answer_oddly, &odd, NULL);
		assert_int_equal(registry_manifest_look(f.registry, "app",
				     "1.0", &digest, &failure),
		    cases[i].result);
		assert_says(failure.msg, cases[i].says);
		fixture_close(&f);
	}
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
	    cmocka_unit_test(odd_puts),
	    cmocka_unit_test(odd_deletes),
	    cmocka_unit_test(look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
