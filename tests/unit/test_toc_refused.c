/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of contents that cannot be used, and what says so. */
#include "toc_fixture.h"

#include <errno.h>

#include "index/limits.h"

/* What stands for the data in front of the table. */
enum { DATA_SIZE = 1000 };

#define D \
	"\"sha256:" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""
/* A file of 10 bytes that has a chunk and a digest. */
#define REG "{\"name\":\"f\",\"type\":\"reg\",\"size\":10,\"chunkDigest\":" D
#define CHUNK "{\"type\":\"chunk\",\"chunkDigest\":" D

struct refused {
	const char *entries, *says;
};

static struct made made_with_data(enum toc_kind kind)
{
	static const char data[DATA_SIZE];
	struct made made = made_new(kind);

	put(&made.blob, data, sizeof(data));
	return made;
}

static int try(struct made *made, struct err *err)
{
	CLEANUP(builder_free_p) struct builder *builder = NULL;
	struct layer_facts facts = {0};

	assert_int_equal(builder_new("/tmp", &builder, err), 0);
	return made_read(made, builder, &facts, err);
}

/* Reading it ends in that code, with that in the message. */
static void check_refused(struct made *made, int code, const char *says)
{
	struct err err = ERR_INIT;
	int r = try(made, &err);

	if (r != -code || err.code != code || !strstr(err.msg, says))
		fail_msg("not \"%s\" but %d: %s", says, r, err.msg);
}

/* What is no table at all. */
static const struct refused bad_json[] = {
    {"", ""},
    {"[]", "wrong type"},
    {"1", "wrong type"},
    {"null", "wrong type"},
    {"{}", "no entries"},
    {"{\"entries\":[]", "premature EOF"},
    {"{\"entries\":[]}}", ""},
    {"{\"entries\":[]} {}", ""},
    {"{\"entries\":[]", ""},
    {"{\"entries\":[{]}", "behind entry 1"},
    {"{\"entries\":{}}", "wrong type"},
    {"{\"entries\":1}", "wrong type"},
    {"{\"entries\":[1]}", "wrong type"},
    {"{\"entries\":[null]}", "wrong type"},
    {"{\"entries\":[[]]}", "wrong type"},
    {"{\"entries\":[],\"entries\":[]}", "two lists"},
    {"{\"version\":2,\"entries\":[]}", "version"},
    {"{\"version\":\"1\",\"entries\":[]}", "wrong type"},
    {"{\"entries\":[],\"x\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}",
	"nested too deeply"},
    {"{\"entries\":[{\"name\":\"\xff\",\"type\":\"dir\"}]}", "UTF8"},
    {"// comment\n{\"entries\":[]}", "comment"},
};

/* Entries that are none. */
static const struct refused bad_values[] = {
    {"{\"type\":\"dir\"}", "entry 1 \"\": no name"},
    {"{\"name\":\"\",\"type\":\"dir\"}", "no name"},
    {"{\"name\":\"a\"}", "entry 1 \"a\": no name, or no type"},
    {"{\"name\":\"a\",\"type\":\"socket\"}", "unknown type \"socket\""},
    {"{\"name\":1,\"type\":\"dir\"}", "wrong type of \"name\""},
    {"{\"name\":\"a\",\"type\":\"dir\",\"uid\":\"0\"}",
	"wrong type of \"uid\""},
    {"{\"name\":\"a\",\"type\":\"dir\",\"uid\":true}", "wrong type of \"uid\""},
    {"{\"name\":\"a\",\"type\":\"dir\",\"uid\":[]}", "wrong type of \"uid\""},
    {"{\"name\":\"a\",\"type\":\"dir\",\"uid\":{}}", "wrong type of \"uid\""},
    {"{\"name\":\"a\",\"type\":\"dir\",\"uid\":1.5}", "no 64-bit integer"},
    {"{\"name\":\"a\",\"type\":\"dir\",\"uid\":1e3}", "no 64-bit integer"},
    {"{\"name\":\"a\",\"type\":\"dir\",\"uid\":9223372036854775808}",
	"no 64-bit integer"},
    {"{\"name\":\"a\",\"type\":\"dir\",\"uid\":"
     "1000000000000000000000000000000000}",
	"no 64-bit integer"},
    {"{\"name\":\"a\\u0000\",\"type\":\"dir\"}", "a NUL"},
    {"{\"name\":\"a\",\"type\":\"dir\",\"modtime\":\"yesterday\"}", "no time"},
    {"{\"name\":\"a\",\"type\":\"dir\",\"modtime\":"
     "\"2023-11-14T22:13:20Z \"}",
	"no time"},
    {"{\"name\":\"a\",\"type\":\"dir\",\"chunkType\":\"holes\"}",
	"unknown type of chunk"},
    {"{\"name\":\"a\",\"type\":\"dir\",\"digest\":\"md5:00\"}", "md5"},
    {"{\"name\":\"a\",\"type\":\"dir\",\"xattrs\":[]}", "wrong type"},
    {"{\"name\":\"a\",\"type\":\"dir\",\"xattrs\":{\"a\":1}}", "wrong type"},
    {"{\"name\":\"a\",\"type\":\"dir\",\"xattrs\":{\"a\":\"-\"}}",
	"a: not base64"},
    {"{\"name\":\"a\",\"type\":\"dir\",\"xattrs\":{\"\":\"\"}}", "bad name"},
    {"{\"name\":\"a\",\"type\":\"dir\",\"xattrs\":{\"\\u0000\":\"\"}}",
	"bad name"},
};

/* Files that lack chunks, and chunks that are of no file. */
static const struct refused bad_chunks[] = {
    {CHUNK ",\"offset\":9,\"chunkSize\":1}", "does not follow"},
    {CHUNK ",\"offset\":9}", "does not follow"},
    {"{\"name\":\"d\",\"type\":\"dir\",\"size\":10}," CHUNK
     ",\"offset\":9,\"chunkSize\":10}",
	"does not follow"},
    {REG ",\"offset\":9,\"chunkSize\":11}", "does not follow"},
    {REG ",\"offset\":9,\"chunkSize\":-1}", "does not follow"},
    {REG ",\"offset\":9,\"chunkOffset\":1}", "does not follow"},
    {REG ",\"offset\":9,\"chunkSize\":6}", "last file lacks chunks"},
    {REG ",\"offset\":9,\"chunkSize\":6},{\"name\":\"d\",\"type\":\"dir\"}",
	"file before it lacks chunks"},
    {REG ",\"offset\":9,\"chunkSize\":6}," CHUNK
	 ",\"offset\":19,\"chunkOffset\":6,\"chunkSize\":5}",
	"does not follow"},
    {REG ",\"offset\":9,\"chunkSize\":6}," CHUNK
	 ",\"offset\":19,\"chunkOffset\":5,\"chunkSize\":4}",
	"does not follow"},
    {REG ",\"offset\":9,\"chunkSize\":6}," CHUNK
	 ",\"offset\":19,\"chunkOffset\":6}," CHUNK ",\"offset\":29}",
	"does not follow"},
    {REG ",\"offset\":9}," CHUNK ",\"offset\":19,\"chunkOffset\":10}",
	"does not follow"},
    /* Nothing vouches for these. */
    {"{\"name\":\"f\",\"type\":\"reg\",\"size\":10,\"offset\":9}",
	"without a sha256 digest"},
    {"{\"name\":\"f\",\"type\":\"reg\",\"size\":10,\"chunkSize\":5,"
     "\"offset\":9,\"digest\":" D "}",
	"without a sha256 digest"},
    {REG ",\"offset\":9,\"chunkSize\":6},{\"type\":\"chunk\",\"offset\":19,"
	 "\"chunkOffset\":6,\"digest\":" D "}",
	"without a sha256 digest"},
    /* Sizes. */
    {"{\"name\":\"f\",\"type\":\"reg\",\"size\":-1}", "too large a file"},
    {"{\"name\":\"f\",\"type\":\"reg\",\"size\":4398046511105,"
     "\"chunkType\":\"zeros\"}",
	"too large a file"},
    {"{\"name\":\"f\",\"type\":\"reg\",\"size\":4398046511104,"
     "\"chunkType\":\"zeros\"},{\"name\":\"g\",\"type\":\"reg\",\"size\":1}",
	"too large a file"},
    {"{\"name\":\"f\",\"type\":\"reg\",\"size\":1073741825,\"offset\":9,"
     "\"chunkDigest\":" D "}",
	"too large a chunk"},
    {REG ",\"offset\":9,\"innerOffset\":1073741815}", "too large a chunk"},
    {REG ",\"offset\":9,\"innerOffset\":-1}", "too large a chunk"},
};

/* Chunks that are not where they could be. */
static const struct refused bad_places[] = {
    {REG "}", "without an offset"},
    {REG ",\"offset\":-1}", "no place in the blob"},
    {REG ",\"offset\":1200}", "no place in the blob"},
    {REG ",\"offset\":9,\"endOffset\":9}", "no place in the blob"},
    {REG ",\"offset\":9,\"endOffset\":8}", "no place in the blob"},
    {REG ",\"offset\":9,\"endOffset\":-1}", "no place in the blob"},
    {REG ",\"offset\":9,\"endOffset\":1100}", "no place in the blob"},
    {REG ",\"offset\":9}," REG ",\"offset\":1100}",
	"entry 2 \"f\": the chunk before it has no place"},
    {REG ",\"offset\":9}," REG ",\"offset\":8}", "no place in the blob"},
    {REG ",\"offset\":9,\"chunkSize\":6}," CHUNK
	 ",\"offset\":8,\"chunkOffset\":6}",
	"no place in the blob"},
    {REG ",\"offset\":9,\"chunkSize\":6}," CHUNK
	 ",\"offset\":9,\"chunkOffset\":6,\"chunkType\":\"zeros\"}",
	"no place in the blob"},
};

static void check_all(enum toc_kind kind, const struct refused *cases,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		AUTO_MADE struct made made = made_with_data(kind);

		put(&made.json, cases[i].entries, strlen(cases[i].entries));
		made_end(&made);
		check_refused(&made, EINVAL, cases[i].says);
	}
}

#define CHECK_ALL(kind, cases) \
	check_all(kind, cases, sizeof(cases) / sizeof(*(cases)))

static void test_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_json) / sizeof(*bad_json); i++) {
		AUTO_MADE struct made made = made_with_data(TOC_CHUNKED);
		AUTO_BUF struct buf json = BUF_INIT(MADE_MAX);

		put(&json, bad_json[i].entries, strlen(bad_json[i].entries));
		made_end_with(&made, &json);
		made.toc.decoded_len = 1000;
		check_refused(&made, EINVAL, bad_json[i].says);
	}
}

static void test_values(void **state)
{
	(void)state;
	CHECK_ALL(TOC_ESTARGZ, bad_values);
}

static void test_chunks(void **state)
{
	(void)state;
	CHECK_ALL(TOC_ESTARGZ, bad_chunks);
	CHECK_ALL(TOC_CHUNKED, bad_chunks);
}

static void test_places(void **state)
{
	(void)state;
	CHECK_ALL(TOC_ESTARGZ, bad_places);
	CHECK_ALL(TOC_CHUNKED, bad_places);
}

/* The cases are refused for what they say: without it they are good. */
static void test_good(void **state)
{
	static const char *const good[] = {
	    REG ",\"offset\":9}",
	    REG ",\"offset\":9,\"innerOffset\":1073741814}",
	    REG ",\"offset\":9,\"endOffset\":1000}",
	    REG ",\"offset\":9,\"chunkSize\":6}," CHUNK
		",\"offset\":10,\"chunkOffset\":6}",
	    REG ",\"offset\":9,\"chunkSize\":6}," CHUNK
		",\"offset\":10,\"chunkOffset\":6,\"chunkType\":\"zeros\"}",
	    ("{\"name\":\"f\",\"type\":\"reg\",\"size\":1073741824,\"offset\":"
	     "9,"
	     "\"chunkDigest\":" D "}"),
	    ("{\"name\":\"f\",\"type\":\"reg\",\"size\":4398046511104,"
	     "\"chunkType\":\"zeros\"}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		AUTO_MADE struct made made = made_with_data(TOC_ESTARGZ);
		struct err err = ERR_INIT;

		add_json(&made, "%s", good[i]);
		made_end(&made);
		if (try(&made, &err) < 0)
			fail_msg("%s: %s", good[i], err.msg);
	}
}

static void test_names_are_bounded(void **state)
{
	AUTO_MADE struct made good = made_with_data(TOC_CHUNKED);
	AUTO_MADE struct made bad = made_with_data(TOC_CHUNKED);
	struct err err = ERR_INIT;

	(void)state;
	add_json(&good, "{\"type\":\"dir\",\"name\":\"%0*d\"}", TAR_NAME_MAX,
	    0);
	made_end(&good);
	assert_int_equal(try(&good, &err), 0);
	add_json(&bad, "{\"type\":\"dir\",\"name\":\"%0*d\"}", TAR_NAME_MAX + 1,
	    0);
	made_end(&bad);
	check_refused(&bad, EINVAL, "too long a \"name\"");
}

static void test_xattrs_are_bounded(void **state)
{
	AUTO_MADE struct made many = made_with_data(TOC_CHUNKED);
	AUTO_MADE struct made large = made_with_data(TOC_CHUNKED);

	(void)state;
	put(&many.json,
	    "{\"name\":\"a\",\"type\":\"dir\",\"xattrs\":{\"x\":\"\"", 41);
	for (int i = 0; i < 256; i++) {
		char text[16];
		int len = snprintf(text, sizeof(text), ",\"%d\":\"\"", i);

		put(&many.json, text, (size_t)len);
	}
	put(&many.json, "}}", 2);
	made_end(&many);
	check_refused(&many, EINVAL, "too many extended attributes");
	put(&large.json,
	    "{\"name\":\"a\",\"type\":\"dir\",\"xattrs\":{\"x\":\"\"", 41);
	for (int i = 0; i < 256; i++) {
		char text[8192];
		int len = snprintf(text, sizeof(text), ",\"y\":\"%08000d\"", 0);

		put(&large.json, text, (size_t)len);
	}
	put(&large.json, "}}", 2);
	made_end(&large);
	check_refused(&large, EINVAL, "too many extended attributes");
}

/* A value that would have to be kept whole in memory. */
static void test_values_are_bounded(void **state)
{
	AUTO_MADE struct made made = made_with_data(TOC_CHUNKED);
	AUTO_BUF struct buf json = BUF_INIT(MADE_MAX);
	struct err err = ERR_INIT;

	(void)state;
	put(&json, "{\"entries\":[],\"x\":\"", 19);
	assert_int_equal(buf_reserve(&json, 4 << 20, &err), 0);
	memset(json.data + json.len, 'x', 4 << 20);
	json.len += 4 << 20;
	put(&json, "\"}", 2);
	made_end_with(&made, &json);
	check_refused(&made, EINVAL, "too long a value");
}

static void test_digests(void **state)
{
	(void)state;
	for (enum toc_kind kind = TOC_ESTARGZ; kind <= TOC_CHUNKED; kind++) {
		AUTO_MADE struct made made = made_with_data(kind);
		struct digest right;
		struct err err = ERR_INIT;

		add_json(&made, REG ",\"offset\":9}");
		made_end(&made);
		right = made.toc.digest;
		made.toc.digest.bytes[31] ^= 1;
		check_refused(&made, EBADMSG, "digest");
		made.toc.digest = right;
		assert_int_equal(try(&made, &err), 0);
	}
}

/* What is wrong with a table that is not the manifest's does not matter. */
static void test_digest_before_ends(void **state)
{
	AUTO_MADE struct made made = made_with_data(TOC_ESTARGZ);

	(void)state;
	add_json(&made, REG ",\"offset\":9,\"chunkSize\":6}");
	made_end(&made);
	made.toc.digest.bytes[0] ^= 1;
	check_refused(&made, EBADMSG, "digest");
}

static void test_reading_fails(void **state)
{
	(void)state;
	for (enum toc_kind kind = TOC_ESTARGZ; kind <= TOC_CHUNKED; kind++) {
		AUTO_MADE struct made made = made_with_data(kind);

		add_json(&made, REG ",\"offset\":9}");
		made_end(&made);
		made.read_error = (struct err){EIO, 0, "no network"};
		check_refused(&made, EIO, "no network");
		assert_int_equal(made.reads, 1);
	}
}

/* The compressed bytes are cut off, or others. */
static void test_damage(void **state)
{
	AUTO_MADE struct made chunked = made_with_data(TOC_CHUNKED);
	AUTO_MADE struct made estargz = made_with_data(TOC_ESTARGZ);

	(void)state;
	add_json(&chunked, REG ",\"offset\":9}");
	made_end(&chunked);
	chunked.toc.len--;
	check_refused(&chunked, EINVAL, "end too early");
	chunked.toc.len++;
	chunked.toc.decoded_len--;
	check_refused(&chunked, EINVAL, "too large");
	chunked.toc.decoded_len++;
	chunked.toc.offset = chunked.blob.len;
	check_refused(&chunked, EINVAL, "not in the blob");
	assert_int_equal(chunked.reads, 2);
	add_json(&estargz, REG ",\"offset\":9}");
	made_end(&estargz);
	estargz.blob.data[estargz.data_len + 20] ^= 1;
	check_refused(&estargz, EINVAL, "gzip");
}

static void test_footers(void **state)
{
	AUTO_MADE struct made made = made_with_data(TOC_ESTARGZ);
	char *footer, *offset;
	char right[16];

	(void)state;
	made_end(&made);
	footer = made.blob.data + made.blob.len - 51;
	offset = footer + 16;
	memcpy(right, offset, sizeof(right));
	memcpy(offset, "000000000000g3e8", 16);
	check_refused(&made, EINVAL, "does not end in an eStargz footer");
	memcpy(offset, "ffffffffffffffff", 16);
	check_refused(&made, EINVAL, "cannot be");
	snprintf(offset, 17, "%016zx", made.blob.len - 51);
	offset[16] = 'S';
	check_refused(&made, EINVAL, "cannot be");
	memcpy(offset, right, sizeof(right));
	/* Where the older format has its magic. */
	memcpy(footer + 32, "STARGX", 6);
	check_refused(&made, EINVAL, "does not end in an eStargz footer");
	memcpy(footer + 32, "STARGZ", 6);
	footer[12] = 'X';
	check_refused(&made, EINVAL, "does not end in an eStargz footer");
	made.blob.len = 50;
	check_refused(&made, EINVAL, "too small");
}

/* eStargz, with another tar than it should be. */
static void check_tar(const char *name, const char *other, size_t size,
    const char *says)
{
	AUTO_MADE struct made made = made_with_data(TOC_ESTARGZ);
	AUTO_BUF struct buf tar = BUF_INIT(MADE_MAX);
	static const char zeros[2 * TAR_BLOCK];
	struct err err = ERR_INIT;
	char footer[64];

	made.toc.kind = TOC_ESTARGZ;
	made.toc.digest.algorithm = DIGEST_SHA256;
	assert_int_equal(tar_header_print(&tar, name, size, 0, &err), 0);
	if (other)
		assert_int_equal(tar_header_print(&tar, other, 0, 0, &err), 0);
	put(&tar, zeros, sizeof(zeros));
	made.data_len = put_member(&made, tar.data, tar.len);
	memcpy(footer, "\x1f\x8b\x08\x04\0\0\0\0\0\xff\x1a\0SG\x16\0", 16);
	snprintf(footer + 16, 36, "%016" PRIx64 "STARGZ", made.data_len);
	put(&made.blob, footer, 51);
	check_refused(&made, says ? EINVAL : EBADMSG, says ? says : "digest");
}

static void test_tars(void **state)
{
	(void)state;
	check_tar("stargz.index.json", NULL, 0, NULL);
	check_tar("other.json", NULL, 0, "not just stargz.index.json");
	check_tar("stargz.index.json/", NULL, 0, "not just stargz.index.json");
	check_tar("stargz.index.json", "other", 0,
	    "not just stargz.index.json");
	check_tar("stargz.index.json", "stargz.index.json", 0,
	    "not just stargz.index.json");
	check_tar("stargz.index.json", NULL, TOC_DECODED_MAX + 1, "too large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_json),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_chunks),
	    cmocka_unit_test(test_places),
	    cmocka_unit_test(test_names_are_bounded),
	    cmocka_unit_test(test_xattrs_are_bounded),
	    cmocka_unit_test(test_values_are_bounded),
	    cmocka_unit_test(test_digests),
	    cmocka_unit_test(test_digest_before_ends),
	    cmocka_unit_test(test_reading_fails),
	    cmocka_unit_test(test_damage),
	    cmocka_unit_test(test_footers),
	    cmocka_unit_test(test_tars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
