/* SPDX-License-Identifier: Apache-2.0 */
/* Known layers: order, bounds, and notes that are damaged. */
#include "push_fixture.h"

static struct digest digest_number(unsigned n)
{
	struct digest digest;

	sha256(&n, sizeof(n), &digest);
	return digest;
}

static struct layer_blob blob_number(unsigned n, const char *repository)
{
	struct layer_blob blob = {.digest = digest_number(n),
	    .size = n,
	    .media_type = MEDIA_OCI_LAYER_GZIP};

	snprintf(blob.repository, sizeof(blob.repository), "%s", repository);
	return blob;
}

static void learn(struct fixture *f, unsigned diff_id, unsigned blob,
    const char *repository)
{
	struct digest layer = digest_number(diff_id);
	struct layer_blob learned = blob_number(blob, repository);

	layers_learn(f->images, &layer, &learned);
}

/* "BLOB@REPOSITORY …", as found for a repository. */
static void assert_found(struct fixture *f, unsigned layer,
    const char *repository, const char *expected)
{
	struct layer_blob found[LAYER_BLOBS_MAX];
	struct digest digest = digest_number(layer);
	char text[4096] = "";
	int n = layers_find(f->images, repository, &digest, found, &f->err);

	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		size_t len = strlen(text);
		struct digest blob = digest_number((unsigned)found[i].size);

		assert_true(digest_equal(&blob, &found[i].digest));
		assert_string_equal(found[i].media_type, MEDIA_OCI_LAYER_GZIP);
		snprintf(text + len, sizeof(text) - len, "%s%u@%s",
		    len ? " " : "", (unsigned)found[i].size,
		    found[i].repository);
	}
	assert_string_equal(text, expected);
}

static void nothing_is_known_at_first(void **state)
{
	struct fixture *f = *state;

	assert_found(f, 1, "app", "");
}

static void the_repository_first_then_the_latest(void **state)
{
	struct fixture *f = *state;

	learn(f, 1, 10, "app");
	learn(f, 1, 11, "other/app");
	learn(f, 1, 12, "third");
	learn(f, 1, 10, "app");
	assert_found(f, 1, "nowhere", "12@third 11@other/app 10@app");
	assert_found(f, 1, "app", "10@app 12@third 11@other/app");
	assert_found(f, 2, "app", "");
}

static void by_the_blob_itself(void **state)
{
	struct fixture *f = *state;

	learn(f, 1, 10, "a");
	learn(f, 1, 10, "b");
	learn(f, 1, 11, "c");
	assert_found(f, 10, "a", "10@a 10@b");
	assert_found(f, 11, "a", "11@c");
}

static void no_more_than_its_bound(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 1; i <= LAYER_BLOBS_MAX + 2; i++)
		learn(f, 1, i, "app");
	assert_found(f, 1, "app",
	    "10@app 9@app 8@app 7@app 6@app 5@app 4@app 3@app");
}

static void the_longest_of_everything_fits(void **state)
{
	struct fixture *f = *state;
	struct layer_blob blob = blob_number(1, "x");
	struct layer_blob found[LAYER_BLOBS_MAX];
	struct digest layer = digest_number(1);

	for (unsigned i = 0; i < LAYER_BLOBS_MAX; i++) {
		struct err err = ERR_INIT;

		digest_of(DIGEST_SHA512, &i, sizeof(i), &blob.digest, &err);
		blob.size = DESCRIPTOR_MAX_SIZE;
		memset(blob.media_type, 'm', sizeof(blob.media_type) - 1);
		memset(blob.repository, 'r', REPOSITORY_MAX);
		layers_learn(f->images, &layer, &blob);
	}
	assert_int_equal(layers_find(f->images, "app", &layer, found, &f->err),
	    LAYER_BLOBS_MAX);
	assert_string_equal(found[0].media_type, blob.media_type);
	assert_string_equal(found[0].repository, blob.repository);
}

static void media_types_that_are_no_word(void **state)
{
	static const char *const types[] = {"", "a b", "a\nb", "\x80"};
	struct fixture *f = *state;
	struct layer_blob blob = blob_number(1, "app");
	struct digest layer = digest_number(1);

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		snprintf(blob.media_type, sizeof(blob.media_type), "%s",
		    types[i]);
		layers_learn(f->images, &layer, &blob);
	}
	assert_found(f, 1, "app", "");
}

/* The note of layer 1, whose key begins with the registry's host. */
static void damage(struct fixture *f, const char *text)
{
	char key[256], hex[DIGEST_TEXT_SIZE];
	struct digest layer = digest_number(1);
	const char *host = source_name(f->source);
	const char *colon = strchr(host, ':');

	assert_non_null(colon);
	snprintf(key, sizeof(key), "%.*s_3a%s.%s", (int)(colon - host), host,
	    colon + 1, digest_hex(&layer, hex));
	must(store_note_put(f->store, "layers", key, text, &f->err));
}

static void a_damaged_note_counts_as_far_as_it_is_whole(void **state)
{
	static const char *const rests[] = {
	    "",
	    "x",
	    "sha256:",
	    "\n\n",
	    " 1 type app\n",
	    "sha256:1 1 type app\n",
	    "sha512:00 1 type app\n",
	};
	struct fixture *f = *state;
	struct digest blob = digest_number(7);
	char digest[DIGEST_TEXT_SIZE], note[4096];

	digest_format(&blob, digest);
	for (size_t i = 0; i < sizeof(rests) / sizeof(*rests); i++) {
		snprintf(note, sizeof(note), "%s 7 %s app\n%s", digest,
		    MEDIA_OCI_LAYER_GZIP, rests[i]);
		damage(f, note);
		assert_found(f, 1, "app", "7@app");
	}
	snprintf(note, sizeof(note), "%s 7 %s ../app\n", digest,
	    MEDIA_OCI_LAYER_GZIP);
	damage(f, note);
	assert_found(f, 1, "app", "");
	snprintf(note, sizeof(note), "%s -7 %s app\n", digest,
	    MEDIA_OCI_LAYER_GZIP);
	damage(f, note);
	assert_found(f, 1, "app", "");
	learn(f, 1, 8, "app");
	assert_found(f, 1, "app", "8@app");
}

/* The only blob of layer 1. */
static struct layer_blob only(struct fixture *f)
{
	struct layer_blob found[LAYER_BLOBS_MAX];
	struct digest layer = digest_number(1);

	assert_int_equal(layers_find(f->images, "app", &layer, found, &f->err),
	    1);
	return found[0];
}

static void what_a_table_of_contents_needs(void **state)
{
	struct fixture *f = *state;
	struct digest layer = digest_number(1);
	struct layer_blob blob = blob_number(7, "app"), found;
	struct layer_annotations *annotations = &blob.annotations;

	/* Known without, and then better. */
	layers_learn(f->images, &layer, &blob);
	assert_int_equal(only(f).annotations.count, 0);
	blob.diff_id = digest_number(2);
	assert_true(
	    layer_annotations_add(annotations, ANNOTATION_ESTARGZ_SIZE, "123"));
	assert_true(layer_annotations_add(annotations,
	    ANNOTATION_CHUNKED ANNOTATION_POSITION, "1:2:3:1"));
	layers_learn(f->images, &layer, &blob);
	found = only(f);
	assert_true(digest_equal(&found.digest, &blob.digest));
	assert_true(digest_equal(&found.diff_id, &blob.diff_id));
	assert_int_equal(found.annotations.count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(found.annotations.list[i].name,
		    annotations->list[i].name);
		assert_string_equal(found.annotations.list[i].value,
		    annotations->list[i].value);
	}
	/* And not worse again. */
	blob = blob_number(7, "app");
	layers_learn(f->images, &layer, &blob);
	assert_int_equal(only(f).annotations.count, 2);
}

static void annotations_that_are_none(void **state)
{
	struct layer_annotations annotations = {.count = 0};

	(void)state;
	assert_false(layer_annotations_add(&annotations, "other", "1"));
	assert_false(
	    layer_annotations_add(&annotations, ANNOTATION_ESTARGZ_SIZE, ""));
	assert_false(layer_annotations_add(&annotations,
	    ANNOTATION_ESTARGZ_SIZE, "1 2"));
	assert_false(layer_annotations_add(&annotations,
	    ANNOTATION_ESTARGZ_SIZE, "1\n"));
	assert_int_equal(annotations.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PUSH_TEST(nothing_is_known_at_first),
	    PUSH_TEST(the_repository_first_then_the_latest),
	    PUSH_TEST(by_the_blob_itself),
	    PUSH_TEST(no_more_than_its_bound),
	    PUSH_TEST(the_longest_of_everything_fits),
	    PUSH_TEST(media_types_that_are_no_word),
	    PUSH_TEST(what_a_table_of_contents_needs),
	    cmocka_unit_test(annotations_that_are_none),
	    PUSH_TEST(a_damaged_note_counts_as_far_as_it_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
