/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of contents that are good, as the index shows what they say. */
#include "toc_fixture.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "base/strf.h"
#include "index/limits.h"

enum { NOTHING_SIZE = 300 }; /* of what stands for headers of a tar */

/* What a tar has in front of a file's data. */
static void put_header(struct made *made)
{
	static const char header[NOTHING_SIZE] = "a header, or several";

	put_member(made, header, sizeof(header));
}

static bool has_entry(const struct layer_index *index, const char *name)
{
	uint32_t at;

	return find_in(index, LAYER_ROOT, name, strlen(name), &at);
}

static void add_file(struct made *made, const char *name, const char *content)
{
	size_t len = strlen(content);
	uint64_t offset, end;
	char digest[HEX_SIZE];

	put_header(made);
	offset = put_member(made, content, len);
	end = made->blob.len;
	sha256(content, len, digest);
	if (made->kind == TOC_ESTARGZ)
		add_json(made,
		    "{\"name\":\"%s\",\"type\":\"reg\",\"size\":%zu,"
		    "\"offset\":%" PRIu64 ",\"digest\":\"%s\","
		    "\"chunkDigest\":\"%s\"}",
		    name, len, offset, digest, digest);
	else
		add_json(made,
		    "{\"type\":\"reg\",\"name\":\"%s\",\"size\":%zu,"
		    "\"digest\":\"%s\",\"offset\":%" PRIu64
		    ",\"endOffset\":%" PRIu64 "}",
		    name, len, digest, offset, end);
}

static void check_files(enum toc_kind kind)
{
	AUTO_MADE struct made made = toc_made_new(kind);
	CLEANUP(layer_index_close_p) struct layer_index *index = NULL;
	const struct layer_facts *facts;

	add_file(&made, "./dir/one", "the first file");
	add_json(&made, "{\"type\":\"dir\",\"name\":\"./dir/empty/\"}");
	add_file(&made, "/dir/two", "2");
	add_json(&made, "{\"type\":\"reg\",\"name\":\"nothing\"}");
	add_file(&made, "three", "the last one");
	made_end(&made);
	index = made_index(&made);
	facts = layer_index_facts(index);
	assert_int_equal(facts->vouching, LAYER_BY_CHUNKS);
	assert_int_equal(facts->compression,
	    kind == TOC_ESTARGZ ? COMPRESSION_GZIP : COMPRESSION_ZSTD);
	assert_int_equal(facts->stream_size, 14 + 1 + 12);
	check_content(&made, index, "dir/one", "the first file", 14);
	check_content(&made, index, "dir/two", "2", 1);
	check_content(&made, index, "three", "the last one", 12);
	assert_int_equal(entry_at(index, "nothing", NULL).size, 0);
	assert_true(S_ISDIR(entry_at(index, "dir/empty", NULL).mode));
}

static void test_files(void **state)
{
	(void)state;
	check_files(TOC_ESTARGZ);
	check_files(TOC_CHUNKED);
}

static void test_attributes(void **state)
{
	AUTO_MADE struct made made = toc_made_new(TOC_ESTARGZ);
	CLEANUP(layer_index_close_p) struct layer_index *index = NULL;
	struct layer_entry entry;

	(void)state;
	add_json(&made,
	    "{\"name\":\"f\",\"type\":\"reg\",\"mode\":35309,\"uid\":1000,"
	    "\"gid\":-2,\"userName\":\"u\",\"groupName\":\"g\","
	    "\"modtime\":\"2023-11-14T22:13:20.25+01:00\","
	    "\"accesstime\":\"0001-01-01T00:00:00Z\"}");
	add_json(&made,
	    "{\"name\":\"l\",\"type\":\"symlink\",\"linkName\":\"a/\\u00e9\","
	    "\"modtime\":\"0001-01-01T00:00:00Z\"}");
	add_json(&made,
	    "{\"name\":\"h\",\"type\":\"hardlink\",\"linkName\":\"./f\"}");
	add_json(&made, "{\"name\":\"c\",\"type\":\"char\",\"devMajor\":5,"
			"\"devMinor\":300}");
	add_json(&made, "{\"name\":\"b\",\"type\":\"block\",\"devMajor\":8}");
	add_json(&made, "{\"name\":\"p\",\"type\":\"fifo\",\"mode\":384}");
	made_end(&made);
	index = made_index(&made);
	entry = entry_at(index, "f", NULL);
	/* 0104755: the type's bits are no part of it. */
	assert_int_equal(entry.mode, S_IFREG | 04755);
	assert_int_equal(entry.uid, 1000);
	assert_int_equal(entry.gid, UINT32_MAX - 1);
	assert_int_equal(entry.mtime, 1700000000 - 3600);
	assert_int_equal(entry.mtime_nanos, 250000000);
	assert_int_equal(entry.links, 2);
	entry = entry_at(index, "l", NULL);
	assert_true(S_ISLNK(entry.mode));
	assert_int_equal(entry.mtime, 0);
	entry = entry_at(index, "c", NULL);
	assert_true(S_ISCHR(entry.mode));
	assert_int_equal(entry.data, makedev(5, 300));
	assert_true(S_ISBLK(entry_at(index, "b", NULL).mode));
	assert_int_equal(entry_at(index, "p", NULL).mode, S_IFIFO | 0600);
}

static void test_xattrs(void **state)
{
	AUTO_MADE struct made made = toc_made_new(TOC_CHUNKED);
	CLEANUP(layer_index_close_p) struct layer_index *index = NULL;
	AUTO_BUF struct buf xattrs = BUF_INIT(MADE_MAX);
	size_t cursor = 0;
	uint32_t file, len;
	const char *name;
	const void *value;

	(void)state;
	add_json(&made,
	    "{\"name\":\"f\",\"type\":\"reg\",\"xattrs\":{"
	    "\"user.a\":\"Zm9v\",\"security.capability\":\"AQAAAgA=\","
	    "\"user.a\":\"YmFy\",\"user.e\":\"\",\"user.n\":null}}");
	add_json(&made, "{\"name\":\"g\",\"type\":\"reg\",\"xattrs\":null}");
	made_end(&made);
	index = made_index(&made);
	entry_at(index, "f", &file);
	xattrs_in(index, file, &xattrs);
	assert_true(layer_next_xattr(&xattrs, &cursor, &name, &value, &len));
	assert_string_equal(name, "security.capability");
	assert_int_equal(len, 5);
	assert_memory_equal(value, "\1\0\0\2\0", 5);
	assert_true(layer_next_xattr(&xattrs, &cursor, &name, &value, &len));
	assert_string_equal(name, "user.a");
	assert_int_equal(len, 3);
	assert_memory_equal(value, "bar", 3);
	assert_true(layer_next_xattr(&xattrs, &cursor, &name, &value, &len));
	assert_string_equal(name, "user.e");
	assert_int_equal(len, 0);
	assert_false(layer_next_xattr(&xattrs, &cursor, &name, &value, &len));
	entry_at(index, "g", &file);
	buf_reset(&xattrs);
	xattrs_in(index, file, &xattrs);
	cursor = 0;
	assert_false(layer_next_xattr(&xattrs, &cursor, &name, &value, &len));
}

/* Landmarks are in the blob, and not in the image. */
static void test_landmarks(void **state)
{
	AUTO_MADE struct made made = toc_made_new(TOC_ESTARGZ);
	CLEANUP(layer_index_close_p) struct layer_index *index = NULL;

	(void)state;
	add_file(&made, "before", "before");
	add_file(&made, ".prefetch.landmark", "\x0f");
	add_file(&made, "./.no.prefetch.landmark", "\x0f");
	add_file(&made, "stargz.index.json", "not that one");
	add_file(&made, "behind", "behind");
	add_file(&made, "dir/.prefetch.landmark", "kept");
	made_end(&made);
	index = made_index(&made);
	check_content(&made, index, "before", "before", 6);
	check_content(&made, index, "behind", "behind", 6);
	check_content(&made, index, "dir/.prefetch.landmark", "kept", 4);
	assert_false(has_entry(index, ".prefetch.landmark"));
	assert_false(has_entry(index, ".no.prefetch.landmark"));
	assert_false(has_entry(index, "stargz.index.json"));
	assert_int_equal(layer_index_spans(index), 3);
	assert_int_equal(layer_index_facts(index)->stream_size, 16);
}

/* A file of three chunks; eStargz says no size of the last one. */
static void check_chunks(enum toc_kind kind)
{
	AUTO_MADE struct made made = toc_made_new(kind);
	CLEANUP(layer_index_close_p) struct layer_index *index = NULL;
	static const char content[] = "onetwothree";
	uint64_t offset[4];
	char digest[3][HEX_SIZE];

	put_header(&made);
	offset[0] = put_member(&made, content, 3);
	offset[1] = put_member(&made, content + 3, 3);
	offset[2] = put_member(&made, content + 6, 5);
	offset[3] = made.blob.len;
	sha256(content, 3, digest[0]);
	sha256(content + 3, 3, digest[1]);
	sha256(content + 6, 5, digest[2]);
	add_json(&made,
	    "{\"name\":\"f\",\"type\":\"reg\",\"size\":11,\"offset\":%" PRIu64
	    ",\"chunkSize\":3,\"chunkDigest\":\"%s\",\"digest\":\"\","
	    "\"endOffset\":%" PRIu64 "}",
	    offset[0], digest[0], kind == TOC_CHUNKED ? offset[3] : 0);
	add_json(&made,
	    "{\"name\":\"f\",\"type\":\"chunk\",\"offset\":%" PRIu64
	    ",\"chunkOffset\":3,\"chunkSize\":3,\"chunkDigest\":\"%s\"}",
	    offset[1], digest[1]);
	add_json(&made,
	    "{\"type\":\"chunk\",\"offset\":%" PRIu64
	    ",\"chunkOffset\":6,\"chunkDigest\":\"%s\"}",
	    offset[2], digest[2]);
	add_file(&made, "next", "next");
	made_end(&made);
	index = made_index(&made);
	check_content(&made, index, "f", content, 11);
	check_content(&made, index, "next", "next", 4);
	assert_int_equal(layer_index_spans(index), 4);
	assert_int_equal(span_in(index, 1).in_len, offset[2] - offset[1]);
	if (kind == TOC_CHUNKED)
		assert_int_equal(span_in(index, 2).in_len,
		    offset[3] - offset[2]);
}

static void test_chunks(void **state)
{
	(void)state;
	check_chunks(TOC_ESTARGZ);
	check_chunks(TOC_CHUNKED);
}

/* Zeros have no bytes in the index, but the blob has them, too. */
static void test_zeros(void **state)
{
	AUTO_MADE struct made made = toc_made_new(TOC_CHUNKED);
	CLEANUP(layer_index_close_p) struct layer_index *index = NULL;
	const uint64_t hole = UINT64_C(2) * SPAN_OUT_MAX + 5;
	struct layer_entry entry;
	char digest[2][HEX_SIZE];
	uint64_t offset[3];

	(void)state;
	put_header(&made);
	offset[0] = put_member(&made, "begin", 5);
	offset[1] = put_member(&made, "stands for zeros", 16);
	offset[2] = put_member(&made, "end", 3);
	add_json(&made,
	    "{\"type\":\"reg\",\"name\":\"f\",\"size\":%" PRIu64
	    ",\"offset\":%" PRIu64 ",\"endOffset\":%zu,"
	    "\"chunkSize\":5,\"chunkDigest\":\"%s\"}",
	    hole + 8, offset[0], made.blob.len, sha256("begin", 5, digest[0]));
	add_json(&made,
	    "{\"type\":\"chunk\",\"name\":\"f\",\"offset\":%" PRIu64
	    ",\"chunkSize\":%" PRIu64
	    ",\"chunkOffset\":5,\"chunkType\":\"zeros\"}",
	    offset[1], hole);
	add_json(&made,
	    "{\"type\":\"chunk\",\"name\":\"f\",\"offset\":%" PRIu64
	    ",\"chunkSize\":3,\"chunkOffset\":%" PRIu64
	    ",\"chunkDigest\":\"%s\",\"chunkType\":\"\"}",
	    offset[2], hole + 5, sha256("end", 3, digest[1]));
	made_end(&made);
	index = made_index(&made);
	entry = entry_at(index, "f", NULL);
	assert_int_equal(entry.size, hole + 8);
	assert_int_equal(layer_index_spans(index), 5);
	assert_int_equal(span_in(index, 0).in_len, offset[1] - offset[0]);
	for (uint32_t i = 1; i < 4; i++) {
		assert_int_equal(span_in(index, i).flags, SPAN_ZEROS);
		assert_int_equal(span_in(index, i).in_len, 0);
		assert_int_equal(span_in(index, i).out,
		    5 + (uint64_t)(i - 1) * SPAN_OUT_MAX);
	}
	assert_int_equal(span_in(index, 3).out_len, 5);
	assert_int_equal(span_in(index, 4).out, hole + 5);
	assert_int_equal(span_in(index, 4).out_len, 3);
}

/* Files that share a member, the first of the blob and another one. */
static void test_inner_offsets(void **state)
{
	AUTO_MADE struct made made = toc_made_new(TOC_ESTARGZ);
	CLEANUP(layer_index_close_p) struct layer_index *index = NULL;
	static const char member[] = "HEADERoneHEADERtwo";
	char digest[2][HEX_SIZE];
	uint64_t next;

	(void)state;
	sha256("one", 3, digest[0]);
	sha256("two", 3, digest[1]);
	put_member(&made, member, 18);
	next = put_member(&made, member + 6, 12);
	add_json(&made,
	    "{\"name\":\"a\",\"type\":\"reg\",\"size\":3,\"innerOffset\":6,"
	    "\"chunkDigest\":\"%s\"}",
	    digest[0]);
	add_json(&made,
	    "{\"name\":\"b\",\"type\":\"reg\",\"size\":3,"
	    "\"innerOffset\":15,\"chunkDigest\":\"%s\"}",
	    digest[1]);
	add_json(&made,
	    "{\"name\":\"c\",\"type\":\"reg\",\"size\":3,\"offset\":%" PRIu64
	    ",\"chunkDigest\":\"%s\"}",
	    next, digest[0]);
	add_json(&made,
	    "{\"name\":\"d\",\"type\":\"reg\",\"size\":3,\"offset\":%" PRIu64
	    ",\"innerOffset\":9,\"chunkDigest\":\"%s\"}",
	    next, digest[1]);
	made_end(&made);
	index = made_index(&made);
	check_content(&made, index, "a", "one", 3);
	check_content(&made, index, "b", "two", 3);
	check_content(&made, index, "c", "one", 3);
	check_content(&made, index, "d", "two", 3);
	assert_int_equal(layer_index_spans(index), 4);
	assert_int_equal(span_in(index, 1).in, 0);
	assert_int_equal(span_in(index, 1).in_len, next);
	assert_int_equal(span_in(index, 1).skip, 15);
}

/* Headers of many entries without data between two files are not read with the
 * first of them. */
static void test_long_gap(void **state)
{
	AUTO_MADE struct made made = toc_made_new(TOC_ESTARGZ);
	CLEANUP(layer_index_close_p) struct layer_index *index = NULL;
	static const char gap[300 << 10];

	(void)state;
	add_file(&made, "a", "before the gap");
	put(&made.blob, gap, sizeof(gap));
	add_file(&made, "b", "behind it");
	made_end(&made);
	index = made_index(&made);
	assert_int_equal(layer_index_spans(index), 2);
	assert_in_range(span_in(index, 0).in_len, 1, 66 << 10);
}

/* Values that nobody knows are skipped, whatever they are. */
static void test_unknown_members(void **state)
{
	AUTO_MADE struct made made = toc_made_new(TOC_CHUNKED);
	AUTO_BUF struct buf json = BUF_INIT(MADE_MAX);
	CLEANUP(layer_index_close_p) struct layer_index *index = NULL;
	static const char text[] =
	    "{\"tarSplitDigest\":\"sha256:00\",\"x\":[{\"entries\":[1]},[]],"
	    "\"version\":1,\"y\":null,\"entries\":[{\"x\":{\"name\":\"z\","
	    "\"xattrs\":{\"a\":[true,1e400]}},\"name\":\"a\",\"y\":false,"
	    "\"type\":\"dir\",\"size\":null}],\"z\":0.5} \n";

	(void)state;
	put(&json, text, strlen(text));
	made_end_with(&made, &json);
	index = made_index(&made);
	assert_int_equal(layer_index_count(index), 2);
	assert_true(has_entry(index, "a"));
}

/* Small tables are in what is read at first; others in few large reads. */
static void test_reads(void **state)
{
	AUTO_MADE struct made small = toc_made_new(TOC_ESTARGZ);
	AUTO_MADE struct made large = toc_made_new(TOC_ESTARGZ);
	CLEANUP(layer_index_close_p) struct layer_index *index = NULL;
	CLEANUP(layer_index_close_p) struct layer_index *large_index = NULL;
	char digest[HEX_SIZE];

	(void)state;
	add_file(&small, "a", "a file");
	made_end(&small);
	index = made_index(&small);
	assert_int_equal(small.reads, 1);
	assert_int_equal(small.read_bytes, small.blob.len);
	for (int i = 0; i < 150000; i++)
		add_json(&large,
		    "{\"name\":\"d/%s\",\"type\":\"dir\",\"uid\":%d}",
		    sha256(&i, sizeof(i), digest), i);
	add_file(&large, "a", "a file");
	made_end(&large);
	large_index = made_index(&large);
	check_content(&large, large_index, "a", "a file", 6);
	assert_int_equal(layer_index_count(large_index), 150003);
	assert_true(large.blob.len > 4 << 20);
	assert_int_equal(large.reads, 3);
	assert_int_equal(large.read_bytes, large.blob.len - large.data_len);
}

/* One layer as `ctr-remote image optimize` and `skopeo copy` wrote it, which
 * give the same index but for the spans' places. */
static struct layer_index *case_index(struct made *made, const char *name,
    const struct toc *toc, const char *digest)
{
	AUTO_FREE char *path = strf("%s/toc_blobs/%s", getenv("CASES"), name);
	struct err err = ERR_INIT;

	assert_non_null(path);
	if (file_slurp(path, &made->blob, &err) < 0)
		fail_msg("%s", err.msg);
	made->toc = *toc;
	assert_int_equal(digest_parse(&made->toc.digest, digest, &err), 0);
	return made_index(made);
}

static void check_same_entry(const struct layer_index *a,
    const struct layer_index *b, uint32_t number)
{
	const struct layer_entry one = entry_in(a, number);
	const struct layer_entry other = entry_in(b, number);

	assert_int_equal(one.child_count, other.child_count);
	for (uint32_t i = 0; i < one.child_count; i++) {
		assert_int_equal(child_in(a, number, i).entry,
		    child_in(b, number, i).entry);
		assert_string_equal(child_in(a, number, i).name,
		    child_in(b, number, i).name);
	}
	assert_string_equal(target_in(a, number).text,
	    target_in(b, number).text);
	assert_int_equal(one.mode, other.mode);
	assert_int_equal(one.size, other.size);
	assert_int_equal(one.data, other.data);
	assert_int_equal(one.mtime, other.mtime);
	assert_int_equal(one.parent, other.parent);
	assert_int_equal(one.link, other.link);
}

static void test_real_tools(void **state)
{
	AUTO_MADE struct made estargz = toc_made_new(TOC_ESTARGZ);
	AUTO_MADE struct made chunked = toc_made_new(TOC_CHUNKED);
	CLEANUP(layer_index_close_p) struct layer_index *a = NULL;
	CLEANUP(layer_index_close_p) struct layer_index *b = NULL;
	const struct toc in_gzip = {.kind = TOC_ESTARGZ};
	const struct toc in_zstd = {
	    .kind = TOC_CHUNKED,
	    .offset = 1659,
	    .len = 1012,
	    .decoded_len = 5757,
	};

	(void)state;
	a = case_index(&estargz, "ctr-remote.gz", &in_gzip,
	    "sha256:b3605efc32eaf56e2b781e9113146f9b"
	    "5beb9443d62a8edb5fff33eaa4b934f0");
	b = case_index(&chunked, "skopeo.zst", &in_zstd,
	    "sha256:97f01c83001a26aafb9c7244654015c5"
	    "bb20663cdc68ea75add63de1f7408c0f");
	assert_int_equal(layer_index_count(a), 29);
	assert_int_equal(layer_index_count(b), 29);
	for (uint32_t i = 0; i < 29; i++)
		check_same_entry(a, b, i);
	check_content(&estargz, a, "opt/edits/replaced",
	    "from the upper layer\n", 21);
	check_content(&chunked, b, "opt/edits/replaced",
	    "from the upper layer\n", 21);
	check_content(&estargz, a, "opt/edits/hard-b", "one inode\n", 10);
	assert_int_equal(entry_at(a, "opt/edits/chmodded", NULL).mode,
	    S_IFREG | 04755);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_files),
	    cmocka_unit_test(test_attributes),
	    cmocka_unit_test(test_xattrs),
	    cmocka_unit_test(test_landmarks),
	    cmocka_unit_test(test_chunks),
	    cmocka_unit_test(test_zeros),
	    cmocka_unit_test(test_inner_offsets),
	    cmocka_unit_test(test_long_gap),
	    cmocka_unit_test(test_unknown_members),
	    cmocka_unit_test(test_reads),
	    cmocka_unit_test(test_real_tools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
