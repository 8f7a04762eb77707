/* SPDX-License-Identifier: Apache-2.0 */
/* Artifacts: their kinds, their manifests, and the lists of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "oci/artifact.h"
#include "oci/edit.h"

#define SPDX "application/spdx+json"
#define CYCLONEDX "application/vnd.cyclonedx+json"
#define IN_TOTO "application/vnd.in-toto+json"
#define DSSE "application/vnd.dsse.envelope.v1+json"
#define BUNDLE "application/vnd.in-toto.bundle"
#define SIGSTORE "application/vnd.dev.sigstore.bundle"
#define OCTETS "application/octet-stream"
#define ENVELOPE \
	"{\"payload\":\"e30=\",\"payloadType\":\"" IN_TOTO \
	"\",\"signatures\":[{\"sig\":\"x\"}]}"

static const struct {
	const char *content;
	const char *name;
	const char *artifact_type;
	const char *media_type;
} files[] = {
    {"{\"spdxVersion\":\"SPDX-2.3\",\"packages\":[]}", "x", SPDX, SPDX},
    {"\n { \"packages\" : [ {\"a\":\"}\"} ], \"spdxVersion\" : \"SPDX-2.2\"}\n",
	"x.json", SPDX, SPDX},
    {"{\"@context\":\"https://spdx.org/rdf/3.0.1/spdx-context.jsonld\"}", "x",
	SPDX, SPDX},
    {"SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n", "x", "text/spdx",
	"text/spdx"},
    {"# made by hand\nSPDXVersion: SPDX-2.3\n", "x", "text/spdx", "text/spdx"},
    {"{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\"}", "sbom.spdx.json",
	CYCLONEDX, CYCLONEDX},
    {"<?xml version=\"1.0\"?>\n<bom "
     "xmlns=\"http://cyclonedx.org/schema/bom/1.4\"/>",
	"x", "application/vnd.cyclonedx+xml", "application/vnd.cyclonedx+xml"},
    {"{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicate\":{}}", "x",
	IN_TOTO, IN_TOTO},
    {"{\"_type\":\"https:\\/\\/in-toto.io\\/Statement\\/v0.1\"}", "x", IN_TOTO,
	IN_TOTO},
    {ENVELOPE, "x", IN_TOTO, DSSE},
    {ENVELOPE "\n" ENVELOPE "\n", "x", IN_TOTO, BUNDLE},
    {"{\"payloadType\":\"application/vnd.in-toto.provenance+json\"}", "x",
	IN_TOTO, DSSE},
    {"{\"mediaType\":\"" SIGSTORE ".v0.3+json\",\"dsseEnvelope\":" ENVELOPE "}",
	"x", SIGSTORE ".v0.3+json", SIGSTORE ".v0.3+json"},
    {"{\"mediaType\":\"" SIGSTORE "+json;version=0.2\"}", "x", SIGSTORE "+json",
	SIGSTORE "+json"},
    /* Content that says nothing: the name helps. */
    {"Document", "sbom.spdx", "text/spdx", "text/spdx"},
    {"{}", "app.spdx.json", SPDX, SPDX},
    {"{}", "app.cdx.json", CYCLONEDX, CYCLONEDX},
    {"{}", "app.intoto.jsonl", IN_TOTO, BUNDLE},
    {"{}", "app.json", OCTETS, OCTETS},
    {"{}", ".spdx.json", OCTETS, OCTETS},
    /* No signs: they are not the document's own, or it is none. */
    {"{\"a\":{\"spdxVersion\":\"SPDX-2.3\"}}", "x", OCTETS, OCTETS},
    {"{\"a\":\"spdxVersion\",\"SPDX-2.3\":1}", "x", OCTETS, OCTETS},
    {"[{\"spdxVersion\":\"SPDX-2.3\"}]", "x", OCTETS, OCTETS},
    {"{\"spdxVersion\":\"SPDX-2.3\"", "x", OCTETS, OCTETS},
    {"{\"spdxVersion\":\"SPDX-2.3\"}}", "x", OCTETS, OCTETS},
    {"{\"spdxVersion\":2}", "x", OCTETS, OCTETS},
    {"{\"payloadType\":\"application/vnd.other\"}", "x", OCTETS, OCTETS},
    {"a text {\"spdxVersion\":\"SPDX-2.3\"}", "x", OCTETS, OCTETS},
    {"{\"mediaType\":\"" SIGSTORE "\\r\\nX: 1\"}", "x", SIGSTORE, SIGSTORE},
    {"", "x", OCTETS, OCTETS},
};

/* In chunks of `step` bytes. */
static void sniff(const char *content, size_t step, const char *name,
    struct artifact_kind *out)
{
	struct artifact_sniffer sniffer;
	size_t len = strlen(content);

	artifact_sniffer_init(&sniffer);
	for (size_t at = 0; at < len; at += step)
		artifact_sniff(&sniffer, content + at,
		    len - at < step ? len - at : step);
	artifact_sniffed(&sniffer, name, out);
}

static void kinds_of_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		for (size_t step = 1; step < 1000; step *= 31) {
			struct artifact_kind kind;

			sniff(files[i].content, step, files[i].name, &kind);
			assert_string_equal(kind.artifact_type,
			    files[i].artifact_type);
			assert_string_equal(kind.media_type,
			    files[i].media_type);
		}
	}
}

static void a_sign_may_stand_at_the_end(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT(1 << 20);
	struct artifact_kind kind;
	struct err err = ERR_INIT;

	(void)state;
	buf_addstr(&text, "{\"packages\":[", &err);
	for (int i = 0; i < 4000; i++)
		buf_addf(&text, &err, "{\"name\":\"%0200d\"},", i);
	buf_addstr(&text, "{}],\"spdxVersion\":\"SPDX-2.3\"}", &err);
	sniff(buf_str(&text), 4096, "x", &kind);
	assert_string_equal(kind.artifact_type, SPDX);
}

static void types(void **state)
{
	static const struct {
		const char *type, *name, *ending;
	} cases[] = {
	    {SPDX, "spdx", ".spdx.json"},
	    {"text/spdx+json", "spdx", ".spdx.json"},
	    {CYCLONEDX, "cyclonedx", ".cdx.json"},
	    {"application/vnd.cyclonedx+xml", "cyclonedx", ".cdx.xml"},
	    {IN_TOTO, "in-toto", ".intoto.json"},
	    {DSSE, "in-toto", ".intoto.json"},
	    {BUNDLE, "in-toto", ".intoto.jsonl"},
	    {SIGSTORE ".v0.3+json", "sigstore", ".sigstore.json"},
	    {"application/vnd.dev.cosign.artifact.sig.v1+json",
		"cosign-signature", ""},
	    {"application/vnd.dev.cosign.simplesigning.v1+json",
		"cosign-signature", ".json"},
	    {"application/vnd.cncf.notary.signature", "notation", ""},
	    {"application/vnd.example.report+json", "artifact", ".json"},
	    {"application/vnd.example+xml", "artifact", ".xml"},
	    {OCTETS, "artifact", ""},
	    {"", "artifact", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_string_equal(artifact_name(cases[i].type),
		    cases[i].name);
		assert_string_equal(artifact_ending(cases[i].type),
		    cases[i].ending);
	}
}

static void valid_types(void **state)
{
	static const char *const valid[] = {"a/b", SPDX,
	    "application/vnd.x_1-2.3+json"};
	static const char *const invalid[] = {"", "a", "/", "a/", "/b", "a/b/c",
	    "a/b;c=1", "a/b ", "a/.b", "a/b\n", "\xc3\xa9/b"};

	(void)state;
	for (size_t i = 0; i < sizeof(valid) / sizeof(*valid); i++)
		assert_true(artifact_type_valid(valid[i], strlen(valid[i])));
	for (size_t i = 0; i < sizeof(invalid) / sizeof(*invalid); i++)
		assert_false(
		    artifact_type_valid(invalid[i], strlen(invalid[i])));
	assert_false(artifact_type_valid("a/b\0c", 5));
}

static struct descriptor descriptor_of(const char *content)
{
	struct descriptor descriptor = {.media_type = MEDIA_OCI_MANIFEST,
	    .size = strlen(content)};
	struct err err = ERR_INIT;

	digest_of(DIGEST_SHA256, content, strlen(content), &descriptor.digest,
	    &err);
	return descriptor;
}

static void a_manifest_is_printed(void **state)
{
	static const struct annotation title =
	    {"org.opencontainers.image.title", "a \"b\".json"};
	struct artifact artifact = {.artifact_type = SPDX,
	    .file = descriptor_of("file"),
	    .subject = descriptor_of("image"),
	    .created = 1580702706};
	AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
	AUTO_BUF struct buf again = BUF_INIT(MANIFEST_MAX_BYTES);
	CLEANUP(manifest_free_p) struct manifest *m = NULL;
	struct err err = ERR_INIT;

	(void)state;
	artifact.file.media_type = SPDX;
	artifact.file.annotations = &title;
	artifact.file.annotation_count = 1;
	assert_int_equal(artifact_print(&text, &artifact, &err), 0);
	assert_int_equal(manifest_parse(text.data, text.len, NULL, &m, &err),
	    0);
	assert_string_equal(m->media_type, MEDIA_OCI_MANIFEST);
	assert_string_equal(m->artifact_type, SPDX);
	assert_string_equal(m->config.media_type, MEDIA_OCI_EMPTY);
	assert_int_equal(m->config.size, 2);
	assert_int_equal(m->entry_count, 1);
	assert_true(digest_equal(&m->entries[0].digest, &artifact.file.digest));
	assert_string_equal(descriptor_annotation(&m->entries[0], title.name),
	    title.value);
	assert_true(digest_equal(&m->subject.digest, &artifact.subject.digest));
	assert_string_equal(m->annotations[0].name,
	    "org.opencontainers.image.created");
	assert_string_equal(m->annotations[0].value, "2020-02-03T04:05:06Z");
	assert_false(manifest_is_image(m));
	assert_int_equal(artifact_print(&again, &artifact, &err), 0);
	assert_string_equal(buf_str(&again), buf_str(&text));
}

static void entries_are_added(void **state)
{
	struct descriptor one = descriptor_of("one"),
			  two = descriptor_of("two");
	static const struct annotation annotation = {"a", "b"};
	AUTO_BUF struct buf first = BUF_INIT(MANIFEST_MAX_BYTES);
	AUTO_BUF struct buf second = BUF_INIT(MANIFEST_MAX_BYTES);
	AUTO_BUF struct buf none = BUF_INIT(MANIFEST_MAX_BYTES);
	CLEANUP(manifest_free_p) struct manifest *m = NULL;
	struct err err = ERR_INIT;

	(void)state;
	one.artifact_type = SPDX;
	two.annotations = &annotation;
	two.annotation_count = 1;
	assert_int_equal(index_add(&first, NULL, 0, &one, &err), 1);
	assert_int_equal(index_add(&second, first.data, first.len, &two, &err),
	    1);
	assert_int_equal(index_add(&none, second.data, second.len, &one, &err),
	    0);
	assert_int_equal(none.len, 0);
	assert_int_equal(manifest_parse(second.data, second.len, NULL, &m,
			     &err),
	    0);
	assert_string_equal(m->media_type, MEDIA_OCI_INDEX);
	assert_int_equal(m->entry_count, 2);
	assert_true(digest_equal(&m->entries[0].digest, &one.digest));
	assert_string_equal(m->entries[0].artifact_type, SPDX);
	assert_null(m->entries[1].artifact_type);
	assert_string_equal(descriptor_annotation(&m->entries[1], "a"), "b");
}

static void what_others_wrote_stays(void **state)
{
	static const char before[] =
	    "{\"schemaVersion\":2,\"x-new\":[1,{\"y\":1.5}],\"manifests\":["
	    "{\"mediaType\":\"m\",\"digest\":\"sha256:"
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	    "\",\"size\":7,\"data\":\"e30=\",\"x\":null}],"
	    "\"annotations\":{\"k\":\"v\"}}";
	static const char kept[] =
	    "\"size\":7,\"data\":\"e30=\",\"x\":null},{\"mediaType\"";
	struct descriptor entry = descriptor_of("one");
	AUTO_BUF struct buf after = BUF_INIT(MANIFEST_MAX_BYTES);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(index_add(&after, before, strlen(before), &entry,
			     &err),
	    1);
	assert_memory_equal(after.data, before, strcspn(before, "7"));
	assert_non_null(strstr(after.data, kept));
	assert_non_null(strstr(after.data, "\"annotations\":{\"k\":\"v\"}}"));
}

static void entries_are_removed(void **state)
{
	struct descriptor one = descriptor_of("one"),
			  two = descriptor_of("two");
	AUTO_BUF struct buf both = BUF_INIT(MANIFEST_MAX_BYTES);
	AUTO_BUF struct buf first = BUF_INIT(MANIFEST_MAX_BYTES);
	AUTO_BUF struct buf out = BUF_INIT(MANIFEST_MAX_BYTES);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(index_add(&first, NULL, 0, &one, &err), 1);
	assert_int_equal(index_add(&both, first.data, first.len, &two, &err),
	    1);
	assert_int_equal(index_remove(&out, both.data, both.len, &two.digest,
			     &err),
	    1);
	assert_string_equal(buf_str(&out), buf_str(&first));
	buf_reset(&out);
	assert_int_equal(index_remove(&out, first.data, first.len, &two.digest,
			     &err),
	    0);
	assert_int_equal(out.len, 0);
	assert_int_equal(index_remove(&out, first.data, first.len, &one.digest,
			     &err),
	    1);
	assert_non_null(strstr(buf_str(&out), "\"manifests\":[]"));
}

static void what_is_no_index_is_refused(void **state)
{
	static const char *const cases[] = {"", "{}", "[]",
	    "{\"schemaVersion\":2,\"layers\":[]}"};
	struct descriptor entry = descriptor_of("one");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO_BUF struct buf out = BUF_INIT(MANIFEST_MAX_BYTES);
		struct err err = ERR_INIT;

		assert_int_equal(index_add(&out, cases[i], strlen(cases[i]),
				     &entry, &err),
		    -EINVAL);
	}
}

static void a_list_that_is_null(void **state)
{
	static const char before[] =
	    "{\"schemaVersion\":2,\"mediaType\":"
	    "\"" MEDIA_OCI_INDEX "\",\"manifests\":null}";
	struct descriptor entry = descriptor_of("one");
	AUTO_BUF struct buf after = BUF_INIT(MANIFEST_MAX_BYTES);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(index_add(&after, before, strlen(before), &entry,
			     &err),
	    1);
	assert_non_null(strstr(after.data, "\"manifests\":[{"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds_of_files),
	    cmocka_unit_test(a_sign_may_stand_at_the_end),
	    cmocka_unit_test(types),
	    cmocka_unit_test(valid_types),
	    cmocka_unit_test(a_manifest_is_printed),
	    cmocka_unit_test(entries_are_added),
	    cmocka_unit_test(what_others_wrote_stays),
	    cmocka_unit_test(entries_are_removed),
	    cmocka_unit_test(what_is_no_index_is_refused),
	    cmocka_unit_test(a_list_that_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
