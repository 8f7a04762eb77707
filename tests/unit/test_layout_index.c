/* SPDX-License-Identifier: Apache-2.0 */
/* Names in the index of an image layout: read, and changed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "oci/layout_index.h"

enum { TEXT_MAX = 1 << 16 };

#define HEX "000000000000000000000000000000000000000000000000000000000000000"
#define ENTRY(n, more) \
	"{\"mediaType\":\"" MEDIA_OCI_MANIFEST \
	"\",\"digest\":\"sha256:" HEX #n "\",\"size\":" #n more "}"
#define NAMED(n, name, value) \
	ENTRY(n, ",\"annotations\":{\"" name "\":\"" value "\"}")
#define REF "org.opencontainers.image.ref.name"
#define FULL "io.containerd.image.name"
#define INDEX(entries) "{\"schemaVersion\":2,\"manifests\":[" entries "]}"

/* The names of an index's entries, as "repository:tag,…". */
static void print_names(const char *index, char *out, size_t size)
{
	CLEANUP(manifest_free_p) struct manifest *parsed = NULL;
	AUTO_FREE struct layout_name *names = NULL;
	struct err err = ERR_INIT;
	size_t at = 0;

	assert_int_equal(manifest_parse(index, strlen(index), MEDIA_OCI_INDEX,
			     &parsed, &err),
	    0);
	assert_int_equal(layout_index_names(parsed, &names, &err), 0);
	*out = '\0';
	for (size_t i = 0; i < parsed->entry_count; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s:%s",
		    i ? "," : "", names[i].repository, names[i].tag);
}

static void names_are_read(void **state)
{
	static const struct {
		const char *index, *names;
	} cases[] = {
	    {INDEX(""), ""},
	    {INDEX(NAMED(1, REF, "1.0") "," NAMED(2, REF, "2.0")), ":1.0,:2.0"},
	    {INDEX(NAMED(1, REF, "docker.io/library/a:3")),
		"docker.io/library/a:3"},
	    {INDEX(NAMED(1, REF, "app:1")), "app:1"},
	    {INDEX(NAMED(1, FULL, "localhost:5000/app:1.0")),
		"localhost_5000/app:1.0"},
	    {INDEX(ENTRY(1, ",\"annotations\":{\"" REF "\":\"1\",\"" FULL
			    "\":\"a.b/c:2\"}")),
		"a.b/c:2"},
	    /* A full name that is none leaves the other. */
	    {INDEX(ENTRY(1, ",\"annotations\":{\"" REF "\":\"1\",\"" FULL
			    "\":\"UPPER/CASE\"}")),
		":1"},
	    {INDEX(NAMED(1, REF, "1") "," NAMED(2, REF, "1")), ":1,:"},
	    {INDEX(NAMED(1, REF, "not a name")), ":"},
	    {INDEX(ENTRY(1, "")), ":latest"},
	    {INDEX(ENTRY(1, "") "," NAMED(2, REF, "1.0")), ":latest,:1.0"},
	    {INDEX(ENTRY(1, "") "," NAMED(2, REF, "latest")), ":,:latest"},
	    {INDEX(ENTRY(1, "") "," ENTRY(2, "")), ":,:"},
	    /* An artifact refers to something, and is no image. */
	    {INDEX(ENTRY(1, ",\"artifactType\":\"a/b\"") "," ENTRY(2, "")),
		":,:latest"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char names[1024];

		print_names(cases[i].index, names, sizeof(names));
		assert_string_equal(names, cases[i].names);
	}
}

static struct descriptor descriptor_of(uint8_t number)
{
	struct descriptor descriptor = {.media_type = MEDIA_OCI_MANIFEST,
	    .digest = {.algorithm = DIGEST_SHA256},
	    .size = number};

	descriptor.digest.bytes[31] = number;
	return descriptor;
}

static void names_are_set(void **state)
{
	static const struct {
		const char *index;
		struct layout_name name;
		uint8_t to; /* 0: removed */
		int r;
		const char *after;
	} cases[] = {
	    {INDEX(""), {"", "1"}, 5, 1, INDEX(NAMED(5, REF, "1"))},
	    {"{\"schemaVersion\":2,\"manifests\":null}", {"", "1"}, 5, 1,
		INDEX(NAMED(5, REF, "1"))},
	    /* In its place, once, and what else there is stays. */
	    {"{\"schemaVersion\":2,\"manifests\":[" NAMED(1, REF,
		 "1") "," NAMED(2, REF, "2") "," NAMED(3, REF,
		 "1") "],\"other\":[7]}",
		{"", "1"}, 5, 1,
		"{\"schemaVersion\":2,\"manifests\":[" NAMED(5, REF,
		    "1") "," NAMED(2, REF, "2") "],\"other\":[7]}"},
	    {INDEX(NAMED(1, REF, "1") "," NAMED(2, REF, "2")), {"", "1"}, 0, 1,
		INDEX(NAMED(2, REF, "2"))},
	    {INDEX(NAMED(1, REF, "1")), {"", "2"}, 0, 0, NULL},
	    {INDEX(NAMED(1, REF, "1")), {"app", "1"}, 0, 0, NULL},
	    {INDEX(ENTRY(1, "")), {"", "latest"}, 0, 1, INDEX("")},
	    {INDEX(""), {"localhost_5000/app", "1"}, 5, 1,
		INDEX(ENTRY(5, ",\"annotations\":{\"" FULL
			       "\":\"localhost:5000/app:1\",\"" REF
			       "\":\"localhost:5000/app:1\"}"))},
	    {INDEX(""), {"my_1/app", "1"}, 5, 1,
		INDEX(
		    ENTRY(5, ",\"annotations\":{\"" FULL
			     "\":\"my_1/app:1\",\"" REF "\":\"my_1/app:1\"}"))},
	    /* The name stays as another tool wrote it. */
	    {INDEX(
		 ENTRY(1, ",\"annotations\":{\"" FULL
			  "\":\"docker.io/library/app:1\",\"" REF "\":\"1\"}")),
		{"docker.io/library/app", "1"}, 5, 1,
		INDEX(ENTRY(5,
		    ",\"annotations\":{\"" FULL
		    "\":\"docker.io/library/app:1\",\"" REF "\":\"1\"}"))},
	    {"[]", {"", "1"}, 5, -EINVAL, NULL},
	    {"{\"schemaVersion\":2,\"manifests\":{}}", {"", "1"}, 5, -EINVAL,
		NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO_BUF struct buf out = BUF_INIT(TEXT_MAX);
		struct descriptor to = descriptor_of(cases[i].to);
		struct err err = ERR_INIT;

		assert_int_equal(layout_index_set(&out, cases[i].index,
				     strlen(cases[i].index), &cases[i].name,
				     cases[i].to ? &to : NULL, &err),
		    cases[i].r);
		if (cases[i].after)
			assert_string_equal(buf_str(&out), cases[i].after);
	}
}

static void digests_are_dropped(void **state)
{
	static const char index[] = INDEX(NAMED(1, REF, "1") "," NAMED(1, REF,
	    "2") "," NAMED(1, REF, "app:3") "," NAMED(2, REF, "4"));
	AUTO_BUF struct buf out = BUF_INIT(TEXT_MAX), none = BUF_INIT(TEXT_MAX);
	struct descriptor one = descriptor_of(1), three = descriptor_of(3);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(layout_index_drop(&out, index, strlen(index), "",
			     &one.digest, &err),
	    1);
	assert_string_equal(buf_str(&out),
	    INDEX(NAMED(1, REF, "app:3") "," NAMED(2, REF, "4")));
	assert_int_equal(layout_index_drop(&none, index, strlen(index), "",
			     &three.digest, &err),
	    0);
}

static void references_have_hosts(void **state)
{
	static const char *const cases[][2] = {
	    {"app", "localhost/app"},
	    {"team/app", "localhost/team/app"},
	    {"docker.io/library/app", "docker.io/library/app"},
	    {"localhost_5000/app", "localhost:5000/app"},
	    {"my_1/app", "localhost/my_1/app"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct reference reference;
		struct err err = ERR_INIT;

		assert_int_equal(layout_reference(cases[i][0], &reference,
				     &err),
		    0);
		assert_string_equal(reference.name, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_read),
	    cmocka_unit_test(names_are_set),
	    cmocka_unit_test(digests_are_dropped),
	    cmocka_unit_test(references_have_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
