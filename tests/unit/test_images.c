/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a registry's names, and for how many requests. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "images_fixture.h"

#define MANIFEST "{\"schemaVersion\":2,\"manifests\":[]}"

/* What the server was asked; each answers one kind of request. */
struct script {
	atomic_uint catalogs, tag_lists, heads, manifests;
	atomic_bool no_catalog;
};

static bool answer_manifest(struct peer *peer, const char *head)
{
	struct digest digest;
	struct err err = ERR_INIT;
	char text[DIGEST_TEXT_SIZE], fields[256];

	if (head_is_for(head, "/v2/app/manifests/none"))
		return peer_reply(peer, 404, "", "");
	digest_of(DIGEST_SHA256, MANIFEST, strlen(MANIFEST), &digest, &err);
	snprintf(fields, sizeof(fields),
	    "Docker-Content-Digest: %s\r\nContent-Type: %s\r\n",
	    digest_format(&digest, text), MEDIA_OCI_INDEX);
	if (!head_method_is(head, "HEAD"))
		return peer_reply(peer, 200, fields, MANIFEST);
	peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 34\r\n");
	peer_send(peer, fields);
	return peer_send(peer, "\r\n");
}

static bool answer(struct peer *peer, const char *head, void *arg)
{
	struct script *script = arg;

	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	if (head_is_for(head, "/v2/_catalog")) {
		atomic_fetch_add(&script->catalogs, 1);
		return atomic_load(&script->no_catalog)
			   ? peer_reply(peer, 404, "", "")
			   : peer_reply(peer, 200, "",
				 "{\"repositories\":[\"app\",\"ns/sub\"]}");
	}
	if (head_is_for(head, "/v2/app/tags/list")) {
		atomic_fetch_add(&script->tag_lists, 1);
		return peer_reply(peer, 200, "",
		    "{\"name\":\"app\",\"tags\":[\"2\",\"1\"]}");
	}
	if (strstr(head, "/tags/list")) {
		atomic_fetch_add(&script->tag_lists, 1);
		return peer_reply(peer, 404, "",
		    "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}");
	}
	atomic_fetch_add(head_method_is(head, "HEAD") ? &script->heads
						      : &script->manifests,
	    1);
	return answer_manifest(peer, head);
}

struct world {
	struct script script;
	struct images_fixture f;
};

static int setup_with(void **state, unsigned tag_ttl)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	images_fixture_open(&w->f, answer, &w->script, tag_ttl);
	*state = w;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, 3600);
}

static int setup_no_ttl(void **state)
{
	return setup_with(state, 0);
}

static int teardown(void **state)
{
	struct world *w = *state;

	images_fixture_close(&w->f);
	free(w);
	return 0;
}

static void lists_are_kept(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;

	for (int i = 0; i < 3; i++) {
		CLEANUP(names_put_p) struct names *names = NULL;
		CLEANUP(names_put_p) struct names *tags = NULL;

		assert_int_equal(images_catalog(w->f.images, &names, &err), 0);
		assert_true(names_has(names, "ns/sub"));
		assert_int_equal(images_tags(w->f.images, "app", &tags, &err),
		    0);
		assert_string_equal(names_at(tags, 0), "1");
	}
	assert_int_equal(w->script.catalogs, 1);
	assert_int_equal(w->script.tag_lists, 1);
}

static void without_a_ttl_nothing_is_kept(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;

	for (int i = 0; i < 2; i++) {
		CLEANUP(names_put_p) struct names *tags = NULL;

		assert_int_equal(images_tags(w->f.images, "app", &tags, &err),
		    0);
		assert_null(images_tags_cached(w->f.images, "app"));
	}
	assert_int_equal(w->script.tag_lists, 2);
}

static void what_is_not_there_is_kept(void **state)
{
	struct world *w = *state;
	struct digest digest;

	for (int i = 0; i < 2; i++) {
		struct err err = ERR_INIT;
		struct names *tags = NULL;

		assert_int_equal(images_tags(w->f.images, "gone", &tags, &err),
		    -ENOENT);
		assert_int_equal(images_resolve(w->f.images, "app", "none",
				     &digest, &err),
		    -ENOENT);
		assert_string_not_equal(err.msg, "");
	}
	assert_int_equal(w->script.tag_lists, 1);
	assert_int_equal(w->script.heads, 1);
}

static void *load_catalog(void *arg)
{
	struct names *names = NULL;
	struct err err = ERR_INIT;

	if (images_catalog(arg, &names, &err) == 0)
		names_put(names);
	return NULL;
}

static void one_loads_for_all(void **state)
{
	enum { THREADS = 8 };
	struct world *w = *state;
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, load_catalog,
				     w->f.images),
		    0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(w->script.catalogs, 1);
}

static void a_change_is_seen_at_once(void **state)
{
	struct world *w = *state;
	struct digest digest, changed = {DIGEST_SHA256, {1}};
	struct err err = ERR_INIT;
	CLEANUP(names_put_p) struct names *tags = NULL;

	assert_int_equal(images_resolve(w->f.images, "app", "1", &digest, &err),
	    0);
	assert_int_equal(images_tags(w->f.images, "app", &tags, &err), 0);
	images_tag_changed(w->f.images, "app", "1", &changed);
	assert_int_equal(images_resolve(w->f.images, "app", "1", &digest, &err),
	    0);
	assert_true(digest_equal(&digest, &changed));
	assert_int_equal(w->script.heads, 1);
	assert_null(images_tags_cached(w->f.images, "app"));
	images_tag_changed(w->f.images, "app", "1", NULL);
	assert_int_equal(images_resolve(w->f.images, "app", "1", &digest, &err),
	    -ENOENT);
}

/* What was once found is listed from then on. */
static void found_names_are_listed(void **state)
{
	struct world *w = *state;
	struct digest digest = {DIGEST_SHA256, {1}};
	struct err err = ERR_INIT;
	CLEANUP(names_put_p) struct names *before = NULL;
	CLEANUP(names_put_p) struct names *after = NULL;

	atomic_store(&w->script.no_catalog, true);
	assert_int_equal(images_catalog(w->f.images, &before, &err), 0);
	assert_int_equal(names_count(before), 0);
	assert_false(images_listable(w->f.images));
	images_tag_changed(w->f.images, "new/repo", "1", &digest);
	assert_true(images_found(w->f.images, "new/repo"));
	after = images_catalog_cached(w->f.images);
	assert_non_null(after);
	assert_true(names_has(after, "new/repo"));
	assert_int_equal(w->script.catalogs, 1);
}

static void a_digest_is_kept_for_good(void **state)
{
	struct world *w = *state;
	struct digest digest;
	struct err err = ERR_INIT;

	assert_int_equal(images_resolve(w->f.images, "app", "1", &digest, &err),
	    0);
	for (int i = 0; i < 2; i++) {
		CLEANUP(image_put_p) struct image *image = NULL;

		assert_int_equal(image_open(w->f.images, "app", &digest, &image,
				     &err),
		    0);
		assert_int_equal(image->len, strlen(MANIFEST));
		assert_int_equal(image->manifest->kind, MANIFEST_INDEX);
	}
	assert_int_equal(w->script.manifests, 1);
}

#define WORLD_TEST(name, setup_) \
	cmocka_unit_test_setup_teardown(name, setup_, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(lists_are_kept, setup),
	    WORLD_TEST(without_a_ttl_nothing_is_kept, setup_no_ttl),
	    WORLD_TEST(what_is_not_there_is_kept, setup),
	    WORLD_TEST(one_loads_for_all, setup),
	    WORLD_TEST(a_change_is_seen_at_once, setup),
	    WORLD_TEST(found_names_are_listed, setup),
	    WORLD_TEST(a_digest_is_kept_for_good, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
