/* SPDX-License-Identifier: Apache-2.0 */
/* Titles as paths, and names of parts without a title. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "oci/artifact_files.h"

#define TAR "application/vnd.oci.image.layer.v1.tar+gzip"
#define OCTETS "application/octet-stream"
#define HELM "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
/* clang-format off */
#define D0 "sha256-" \
	"0000000000000000000000000000000000000000000000000000000000000000"
#define D1 "sha256-" \
	"1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256-" \
	"2222222222222222222222222222222222222222222222222222222222222222"
#define D3 "sha256-" \
	"3333333333333333333333333333333333333333333333333333333333333333"
#define D4 "sha256-" \
	"4444444444444444444444444444444444444444444444444444444444444444"
#define PART(title_, type_) {title_, type_, false}
#define PACKED(title_) {title_, TAR, true}
/* clang-format on */
#define L "longer than any name of a file can be, if it is often enough; "

enum { PARTS_MAX = 8 };

struct part {
	const char *title;
	const char *type;
	bool packed;
};

/* Parts, and the paths that they have: "a/" is a directory, and "a//" one that
 * is packed. The digest of the first is 0…, of the second 1…, and so on. */
static const struct {
	struct part parts[PARTS_MAX];
	const char *paths;
} cases[] = {
    {{{0}}, ""},
    {{PART("a", OCTETS), PART("b.txt", OCTETS)}, "a b.txt "},
    {{PART("x/y/b", OCTETS), PART("x/a", OCTETS)}, "x/ x/a x/y/ x/y/b "},
    /* What means nothing is left out. */
    {{PART("./a//b/", OCTETS), PART(".c", OCTETS), PART("...", OCTETS)},
	"... .c a/ a/b "},
    /* No paths. */
    {{PART("/etc/passwd", OCTETS), PART("../a", OCTETS),
	 PART("a/../../b", OCTETS), PART("..", "text/json+json")},
	D0 " " D1 " " D2 " " D3 ".json "},
    {{PART("", OCTETS), PART(".", OCTETS), PART("./", OCTETS),
	 PART(L L L L L, OCTETS)},
	D0 " " D1 " " D2 " " D3 " "},
    /* One has the name. */
    {{PART("a", OCTETS), PART("a", "x/y+xml"), PART("a/b", OCTETS),
	 PART("c/d", OCTETS), PART("c", OCTETS)},
	"a c/ c/d " D1 ".xml " D2 " " D4 " "},
    /* By their types. */
    {{PART(NULL, HELM),
	 PART(NULL, "application/vnd.cncf.helm.chart.provenance.v1.prov")},
	"chart.tgz chart.tgz.prov "},
    {{PART(NULL, "application/vnd.wasm.content.layer.v1+wasm"),
	 PART(NULL, "application/wasm")},
	"module.wasm " D1 ".wasm "},
    {{PART(NULL, "application/vnd.sylabs.sif.layer.v1.sif"), PART(NULL, TAR),
	 PART(NULL, "application/vnd.dev.cosign.simplesigning.v1+json")},
	"image.sif " D1 ".tar.gz " D2 ".json "},
    {{PART(NULL, "application/vnd.oci.empty.v1+json"), PART("a", OCTETS)},
	"a "},
    /* Packed directories, which are tars. */
    {{PACKED("docs"), PACKED("site/img"), {"a", OCTETS, true}},
	"a docs// docs.tar.gz site/ site/img// site/img.tar.gz "},
    {{PACKED("docs"), PART("docs/a", OCTETS), PART("docs.tar.gz", OCTETS)},
	"docs// docs.tar.gz " D1 " " D2 " "},
};

static size_t fill(const struct part *parts, struct descriptor *entries,
    struct annotation (*annotations)[2])
{
	size_t count = 0;

	for (; count < PARTS_MAX && parts[count].type; count++) {
		struct descriptor *entry = &entries[count];

		entry->media_type = parts[count].type;
		entry->digest.algorithm = DIGEST_SHA256;
		memset(entry->digest.bytes, 0x11 * (int)count, 32);
		entry->annotations = annotations[count];
		if (parts[count].title)
			annotations[count][entry->annotation_count++] =
			    (struct annotation){"org.opencontainers.image."
						"title",
				parts[count].title};
		if (parts[count].packed)
			annotations[count][entry->annotation_count++] =
			    (struct annotation){"io.deis.oras.content.unpack",
				"true"};
	}
	return count;
}

static void list(const struct artifact_files *files, const char *directory,
    struct buf *out)
{
	static const char *const marks[] = {[ARTIFACT_FILE] = "",
	    [ARTIFACT_PACKED] = "//",
	    [ARTIFACT_DIRECTORY] = "/"};
	const struct artifact_file *file = NULL;
	struct err err = ERR_INIT;

	while ((file = artifact_files_next(files, directory, file))) {
		assert_ptr_equal(artifact_files_find(files, file->path), file);
		assert_int_equal(buf_addf(out, &err, "%s%s ", file->path,
				     marks[file->kind]),
		    0);
		if (file->kind == ARTIFACT_DIRECTORY)
			list(files, file->path, out);
	}
}

static void test_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CLEANUP(artifact_files_put_p)
		struct artifact_files *files = NULL;
		AUTO_BUF struct buf text = BUF_INIT(1 << 16);
		struct descriptor entries[PARTS_MAX] = {0};
		struct annotation annotations[PARTS_MAX][2];
		struct manifest manifest = {.entries = entries};
		struct err err = ERR_INIT;

		manifest.entry_count =
		    fill(cases[i].parts, entries, annotations);
		assert_int_equal(artifact_files_new(&manifest, &files, &err),
		    0);
		list(files, "", &text);
		assert_string_equal(buf_str(&text), cases[i].paths);
		assert_null(artifact_files_find(files, "nothing"));
		assert_null(artifact_files_find(files, ""));
	}
}

/* A directory whose name begins another's. */
static void test_neighbours(void **state)
{
	CLEANUP(artifact_files_put_p) struct artifact_files *files = NULL;
	static const struct part parts[PARTS_MAX] = {PART("a/x", OCTETS),
	    PART("a-b", OCTETS), PART("a.d/y", OCTETS), PART("ab/z", OCTETS)};
	AUTO_BUF struct buf text = BUF_INIT(1 << 16);
	struct descriptor entries[PARTS_MAX] = {0};
	struct annotation annotations[PARTS_MAX][2];
	struct manifest manifest = {.entries = entries};
	struct err err = ERR_INIT;

	(void)state;
	manifest.entry_count = fill(parts, entries, annotations);
	assert_int_equal(artifact_files_new(&manifest, &files, &err), 0);
	list(files, "a", &text);
	assert_string_equal(buf_str(&text), "a/x ");
	assert_int_equal(artifact_files_find(files, "ab/z")->entry, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_paths),
	    cmocka_unit_test(test_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
