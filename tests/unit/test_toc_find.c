/* SPDX-License-Identifier: Apache-2.0 */
/* What annotations say of tables of contents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "toc/toc.h"

#define NEW "io.github.containers.zstd-chunked.manifest-"
#define OLD "io.containers.zstd-chunked.manifest-"
#define STARGZ "containerd.io/snapshot/stargz/toc.digest"
#define SHA256_A \
	"sha256:" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA256_B \
	"sha256:" \
	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

enum { BLOB_SIZE = 1000, ANNOTATIONS_MAX = 4 };

struct finding {
	struct annotation annotations[ANNOTATIONS_MAX];
	enum toc_kind kind;
	const char *digest;
};

static const struct finding findings[] = {
    {{{"other", "x"}}, TOC_NONE, NULL},
    {{{STARGZ, SHA256_A}}, TOC_ESTARGZ, SHA256_A},
    {{{STARGZ, "sha256:aa"}}, TOC_NONE, NULL},
    {{{STARGZ, ""}}, TOC_NONE, NULL},
    {{{NEW "checksum", SHA256_A}, {NEW "position", "800:100:5000:1"}},
	TOC_CHUNKED, SHA256_A},
    {{{OLD "position", "800:100:5000:1"}, {OLD "checksum", SHA256_A}},
	TOC_CHUNKED, SHA256_A},
    {{{OLD "position", "800:100:5000:1"}, {OLD "checksum", SHA256_A},
	 {NEW "position", "800:100:5000:1"}, {NEW "checksum", SHA256_B}},
	TOC_CHUNKED, SHA256_B},
    {{{STARGZ, SHA256_B}, {OLD "position", "800:100:5000:1"},
	 {OLD "checksum", SHA256_A}},
	TOC_CHUNKED, SHA256_A},
    {{{STARGZ, SHA256_B}, {OLD "position", "800:100:5000:1"}}, TOC_ESTARGZ,
	SHA256_B},
    {{{NEW "checksum", SHA256_A}}, TOC_NONE, NULL},
    {{{NEW "position", "800:100:5000:1"}}, TOC_NONE, NULL},
    {{{NEW "checksum", SHA256_A}, {OLD "position", "800:100:5000:1"}}, TOC_NONE,
	NULL},
    {{{NEW "checksum", "a"}, {NEW "position", "800:100:5000:1"}}, TOC_NONE,
	NULL},
};

static const char *const bad_positions[] = {
    "",
    "800",
    "800:100:5000",
    "800:100:5000:0",
    "800:100:5000:2",
    "800:100:5000:1:1",
    "800:100:5000:1 ",
    "-800:100:5000:1",
    "800:0:5000:1",
    "800:201:5000:1",
    "1001:1:5000:1",
    "18446744073709551615:100:5000:1",
    "800:18446744073709551615:5000:1",
    "800:100:157286401:1",
};

static struct toc find(const struct annotation *annotations)
{
	struct descriptor descriptor = {
	    .size = BLOB_SIZE,
	    .annotations = annotations,
	};
	struct toc toc;

	while (descriptor.annotation_count < ANNOTATIONS_MAX &&
	       annotations[descriptor.annotation_count].name)
		descriptor.annotation_count++;
	toc_find(&descriptor, &toc);
	return toc;
}

static void test_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(findings) / sizeof(*findings); i++) {
		struct toc toc = find(findings[i].annotations);
		char text[DIGEST_TEXT_SIZE];

		assert_int_equal(toc.kind, findings[i].kind);
		if (toc.kind == TOC_NONE)
			continue;
		assert_string_equal(digest_format(&toc.digest, text),
		    findings[i].digest);
		if (toc.kind != TOC_CHUNKED)
			continue;
		assert_int_equal(toc.offset, 800);
		assert_int_equal(toc.len, 100);
		assert_int_equal(toc.decoded_len, 5000);
	}
}

static void test_bad_positions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_positions) / sizeof(*bad_positions);
	     i++) {
		const struct annotation annotations[ANNOTATIONS_MAX] =
		    {{NEW "checksum", SHA256_A},
			{NEW "position", bad_positions[i]}};

		assert_int_equal(find(annotations).kind, TOC_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_bad_positions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
