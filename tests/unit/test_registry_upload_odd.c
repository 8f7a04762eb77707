/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads and mounts whose answers are not those of the specification. */
#include <errno.h>
#include <stdatomic.h>

#include "registry_fixture.h"

#define CONTENT "the content of a blob"
#define PAGE "<html><h1>Please log in</h1></html>"
#define UP "Location: /up\r\n"

/* What is answered, and what the registry that answers so has done. */
struct answer {
	int status; /* 0: the connection breaks */
	const char *fields, *body;
};

struct script {
	struct answer post, patch, put, mount;
	bool whole_is_refused;
	bool stores;
	atomic_bool there;
	atomic_uint puts, posts;
};

static const struct answer begun = {202, UP, ""};
static const struct answer taken = {202, UP, ""};
static const struct answer stored = {201, "", ""};

static bool give(struct peer *peer, const struct answer *answer)
{
	if (answer->status)
		return peer_reply(peer, answer->status, answer->fields,
		    answer->body);
	peer_reset(peer);
	return false;
}

static bool finish(struct peer *peer, struct script *script, bool whole)
{
	atomic_fetch_add(&script->puts, 1);
	if (whole && script->whole_is_refused)
		return peer_reply(peer, 405, "", "");
	if (script->stores)
		atomic_store(&script->there, true);
	return give(peer, &script->put);
}

static bool answer(struct peer *peer, const char *head, void *arg)
{
	struct script *script = arg;
	char length[32] = "0";
	size_t size;

	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	head_field(head, "Content-Length", length, sizeof(length));
	size = strtoul(length, NULL, 10);
	if (size && !peer_receive(peer, NULL, size))
		return false;
	if (head_method_is(head, "HEAD"))
		return peer_reply(peer, script->there ? 200 : 404, "",
			   script->there ? CONTENT : "") &&
		       !script->there;
	if (head_method_is(head, "DELETE"))
		return peer_reply(peer, 204, "", "");
	if (head_method_is(head, "PATCH"))
		return give(peer, &script->patch);
	if (head_method_is(head, "PUT"))
		return finish(peer, script, size > 0);
	if (head_asks(head, "mount="))
		return give(peer, &script->mount);
	atomic_fetch_add(&script->posts, 1);
	/* On a connection that was kept, libcurl would try again by itself. */
	return give(peer, &script->post) && false;
}

static struct digest content_digest(void)
{
	struct digest digest;
	struct err err = ERR_INIT;

	digest_of(DIGEST_SHA256, CONTENT, strlen(CONTENT), &digest, &err);
	return digest;
}

static void check(struct script script, int result, const char *says)
{
	struct payload body = {.data = CONTENT, .size = strlen(CONTENT)};
	struct digest digest = content_digest();
	struct err err = ERR_INIT;
	struct fixture f;

	fixture_open(&f, answer, &script, NULL);
	assert_int_equal(registry_blob_upload(f.registry, "app", &digest, &body,
			     &err),
	    result);
	fixture_close(&f);
	assert_says(err.msg, says);
}

static void ends(void **state)
{
	static const struct {
		struct answer put;
		int failure;
		const char *says;
	} cases[] = {
	    {{200, "", PAGE}, EIO, "answered 200 with a page: \"Please log in"},
	    {{200, "", ""}, EIO, "answered 200 with nothing"},
	    {{200, "", "{}"}, EIO, "answered 200 with \"{}\""},
	    {{202, "", ""}, EIO, "answered 202"},
	    {{204, "", ""}, EIO, "answered 204"},
	    {{302, "", ""}, EIO, "answered 302"},
	    {{502, "", PAGE}, EIO, "answered 502"},
	    {{0, "", ""}, ECONNRESET, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct script script = {.post = begun, .put = cases[i].put};

		check(script, -cases[i].failure, cases[i].says);
		script.stores = true;
		check(script, 0, "");
	}
}

/* It is found there, and not sent once more. */
static void a_lost_answer_costs_no_second_upload(void **state)
{
	struct payload body = {.data = CONTENT, .size = strlen(CONTENT)};
	struct script script = {.post = begun, .stores = true};
	struct digest digest = content_digest();
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	fixture_open(&f, answer, &script, NULL);
	assert_int_equal(registry_blob_upload(f.registry, "app", &digest, &body,
			     &err),
	    0);
	fixture_close(&f);
	assert_int_equal(script.puts, 1);
	assert_int_equal(script.posts, 1);
}

static void begins(void **state)
{
	struct script script = {.put = stored};

	(void)state;
	script.post = (struct answer){200, UP, ""};
	check(script, 0, "");
	script.post = (struct answer){201, UP, ""};
	check(script, 0, "");
	script.post = (struct answer){200, "", PAGE};
	check(script, -EIO, "answered 200 with a page: \"Please log in\"");
	script.post = (struct answer){202, "", ""};
	check(script, -EIO, "no place to upload");
	script.post = (struct answer){302, UP, ""};
	check(script, -EIO, "answered 302");
}

static void goes_on(void **state)
{
	struct script script = {.post = begun,
	    .whole_is_refused = true,
	    .put = stored};

	(void)state;
	script.patch = taken;
	check(script, 0, "");
	/* Those of ECR, and of servers that say no more than that. */
	script.patch = (struct answer){201, "", ""};
	check(script, 0, "");
	script.patch = (struct answer){204, "", ""};
	check(script, 0, "");
	script.patch = (struct answer){200, UP, ""};
	check(script, 0, "");
	script.patch = (struct answer){200, "", PAGE};
	check(script, -EIO, "answered 200 with a page: \"Please log in\"");
}

static void mounts(void **state)
{
	static const struct {
		struct answer mount;
		enum digest_algorithm algorithm;
		bool there;
		int result;
	} cases[] = {
	    {{201, "", ""}, DIGEST_SHA256, false, 1},
	    {{200, "", PAGE}, DIGEST_SHA256, true, 0},
	    {{204, "", ""}, DIGEST_SHA256, true, 0},
	    /* docker-registry 2.8 has no such blob after it has said so. */
	    {{201, "", ""}, DIGEST_SHA512, false, 0},
	    {{201, "", ""}, DIGEST_SHA512, true, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct script script = {.mount = cases[i].mount,
		    .there = cases[i].there};
		struct digest digest;
		struct err err = ERR_INIT;
		struct fixture f;

		digest_of(cases[i].algorithm, CONTENT, strlen(CONTENT), &digest,
		    &err);
		fixture_open(&f, answer, &script, NULL);
		assert_int_equal(registry_blob_mount(f.registry, "app", &digest,
				     "from", &err),
		    cases[i].result);
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ends),
	    cmocka_unit_test(a_lost_answer_costs_no_second_upload),
	    cmocka_unit_test(begins),
	    cmocka_unit_test(goes_on),
	    cmocka_unit_test(mounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
