/* SPDX-License-Identifier: Apache-2.0 */
/* The archive reader: where an archive ends, and which layers it reports. */
#include "archive_fixture.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* An archive with something of everything. */
static void make_archive(struct buf *out)
{
	AUTO_BUF struct buf layer = ARCHIVE_INIT;
	AUTO_BUF struct buf packed = ARCHIVE_INIT;
	AUTO_BUF struct buf zeros = ARCHIVE_INIT;

	make_layer(&layer, "content");
	make_gzip(&packed, &layer);
	put_zeros(&zeros, 100000);
	put_text(out, HEX64 ".json", "{}");
	put_file(out, HEX64 ".tar", layer.data, layer.len);
	put_file(out, HEX64 "/layer.tar", zeros.data, zeros.len);
	put_file(out, "./blobs/sha256/" HEX64, packed.data, packed.len);
	put_text(out, "blobs/sha256/config", "{\"architecture\":\"amd64\"}");
	put_file(out, "blobs/sha256/empty", NULL, 0);
	put_file(out, "usr/lib/archive.tar", layer.data, layer.len);
	put_file(out, "other.tar", layer.data, layer.len);
	put_text(out, "manifest.json", "[]");
	put_end(out);
}

/* Feeds byte by byte; the first byte at which it was complete. */
static uint64_t complete_at(struct reading *reading, const struct buf *bytes)
{
	for (size_t i = 0; i < bytes->len; i++) {
		int r = reading_feed(reading, bytes->data + i, 1);

		if (r < 0)
			fail_msg("%s", reading->err.msg);
		if (r == 1)
			return i + 1;
	}
	return 0;
}

static void check_end(const struct buf *bytes, uint64_t size)
{
	AUTO_READING struct reading reading;

	reading_begin(&reading);
	assert_int_equal(complete_at(&reading, bytes), bytes->len);
	assert_int_equal(archive_reader_end(reading.reader, true, &reading.err),
	    1);
	assert_int_equal(archive_reader_size(reading.reader), size);
	assert_string_equal(buf_str(&reading.layers),
	    HEX64 ".tar\n" HEX64 "/layer.tar\nblobs/sha256/" HEX64 "\n");
}

/* Nothing is an end but the end, to the byte. */
static void test_end(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf gzip = ARCHIVE_INIT;
	AUTO_BUF struct buf zstd = ARCHIVE_INIT;

	(void)state;
	make_archive(&tar);
	make_gzip(&gzip, &tar);
	make_zstd(&zstd, &tar);
	check_end(&tar, tar.len);
	check_end(&gzip, tar.len);
	check_end(&zstd, tar.len);
}

static void check_content(const struct buf *bytes, const struct buf *tar)
{
	AUTO_READING struct reading reading;
	AUTO_FREE char *data = malloc(tar->len);
	struct archive_entry entry;

	reading_all(&reading, bytes);
	assert_int_equal(file_pread(archive_reader_fd(reading.reader), data,
			     tar->len, 0, &reading.err),
	    tar->len);
	assert_memory_equal(data, tar->data, tar->len);
	assert_true(
	    archive_reader_find(reading.reader, "manifest.json", &entry));
	assert_int_equal(entry.size, 2);
	assert_memory_equal(data + entry.offset, "[]", 2);
}

/* The plain tar is there, decoded where need be. */
static void test_content(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf gzip = ARCHIVE_INIT;

	(void)state;
	make_archive(&tar);
	make_gzip(&gzip, &tar);
	check_content(&tar, &tar);
	check_content(&gzip, &tar);
}

/* The tar's padding: in the same piece, in later ones, and compressed. */
static void test_padding(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf gzip = ARCHIVE_INIT;
	AUTO_READING struct reading reading;
	AUTO_READING struct reading packed;
	size_t end;

	(void)state;
	make_archive(&tar);
	end = tar.len;
	put_zeros(&tar, 9000);
	make_gzip(&gzip, &tar);
	put_zeros(&gzip, 100);
	reading_all(&reading, &tar);
	assert_int_equal(archive_reader_size(reading.reader), end);
	assert_int_equal(reading_feed(&reading, "\0\0", 2), 1);
	assert_int_equal(archive_reader_size(reading.reader), end);
	reading_all(&packed, &gzip);
	assert_int_equal(archive_reader_size(packed.reader), end);
}

static void check_refused(const struct buf *bytes, size_t piece,
    const char *says)
{
	AUTO_READING struct reading reading;
	int r;

	reading_begin(&reading);
	r = reading_feed_all(&reading, bytes, piece);
	if (r >= 0)
		r = archive_reader_end(reading.reader, true, &reading.err);
	assert_int_equal(r, -EINVAL);
	if (!strstr(reading.err.msg, says))
		fail_msg("%s, not %s", reading.err.msg, says);
}

static void test_behind_end(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf gzip = ARCHIVE_INIT;
	AUTO_BUF struct buf packed = ARCHIVE_INIT;
	struct err err = ERR_INIT;

	(void)state;
	make_archive(&tar);
	make_gzip(&packed, &tar);
	assert_int_equal(buf_add(&packed, "x", 1, &err), 0);
	check_refused(&packed, 1, "there is other data after the end");
	put_zeros(&tar, 600);
	assert_int_equal(buf_add(&tar, "x", 1, &err), 0);
	make_gzip(&gzip, &tar);
	check_refused(&tar, 1, "there is data after the archive's end");
	check_refused(&tar, ARCHIVE_MAX,
	    "there is data after the archive's end");
	check_refused(&gzip, 1, "there is data after the archive's end");
}

static void check_text(const char *text, size_t len, const char *says)
{
	AUTO_BUF struct buf bytes = ARCHIVE_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(buf_add(&bytes, text, len, &err), 0);
	check_refused(&bytes, 100, says);
}

static void test_no_archive(void **state)
{
	AUTO_BUF struct buf text = ARCHIVE_INIT;
	AUTO_BUF struct buf gzip = ARCHIVE_INIT;
	AUTO_BUF struct buf empty = ARCHIVE_INIT;
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(buf_addstr(&text, "no archive\n", &err), 0);
	make_gzip(&gzip, &text);
	put_end(&empty);
	check_refused(&text, 100, "this is not an image archive");
	check_refused(&gzip, 100, "this is not an image archive");
	check_refused(&empty, 100, "the archive is empty");
	check_text("hello", 5, "this is not an image archive");
	check_text("hello, world", 12, "is truncated at byte 12");
	check_text("BZh91AY&SY", 10, "is truncated");
	check_text("\xfd"
		   "7zXZ\0\0\0",
	    8, "is truncated");
	check_text("\x1f\x8b\x08\0\0\0\0\0", 8, "is truncated");
	check_text("\x1f\x8b\x08\xff\0\0\0\0", 8, "unknown fields");
}

static void test_nothing(void **state)
{
	AUTO_READING struct reading reading;

	(void)state;
	reading_begin(&reading);
	assert_int_equal(archive_reader_end(reading.reader, true, &reading.err),
	    0);
}

/* Wherever a writer stops, it is no archive; only between two entries it is,
 * if one of them says that this is an image. */
static void test_truncated(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf gzip = ARCHIVE_INIT;

	(void)state;
	put_text(&tar, HEX64 ".json", "{}");
	put_text(&tar, "manifest.json", "[]");
	put_end(&tar);
	make_gzip(&gzip, &tar);
	for (size_t len = 1; len < tar.len; len++) {
		AUTO_READING struct reading reading;
		struct buf part = {tar.data, len, 0, len};
		bool whole = len == 2048 || len == 2048 + 512;
		bool between = len == 1024;

		reading_begin(&reading);
		assert_int_equal(reading_feed_all(&reading, &part, 700), 0);
		assert_int_equal(archive_reader_end(reading.reader, false,
				     &reading.err),
		    whole     ? 1
		    : between ? 0
			      : -EINVAL);
	}
	for (size_t len = 1; len < gzip.len; len++) {
		struct buf part = {gzip.data, len, 0, len};

		check_refused(&part, 700,
		    len < 6 ? "not an image" : "is truncated");
	}
}

static int end_at(const struct buf *part, bool is_last)
{
	AUTO_READING struct reading reading;

	reading_begin(&reading);
	assert_int_equal(reading_feed_all(&reading, part, 700), 0);
	return archive_reader_end(reading.reader, is_last, &reading.err);
}

/* Nor does it say that of a root file system; but where it ends between two
 * entries, it can be whole. */
static void test_no_end_of_rootfs(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf blob = ARCHIVE_INIT;
	size_t end;

	(void)state;
	put_text(&tar, "etc/passwd", "root");
	end = tar.len;
	put_text(&tar, "etc/shadow", "x");
	put_zeros(&tar, TAR_BLOCK);
	put_text(&blob, HEX64 "/layer.tar", "x");
	assert_int_equal(end_at(&blob, true), -EINVAL);
	for (size_t len = 1; len <= tar.len; len++) {
		struct buf part = {tar.data, len, 0, len};
		bool between =
		    len == end || len == end + 2 * TAR_BLOCK || len == tar.len;

		assert_int_equal(end_at(&part, false), between ? 0 : -EINVAL);
		assert_int_equal(end_at(&part, true), between ? 1 : -EINVAL);
	}
}

/* The file that `name` leads to, as the text in it; "" if it leads nowhere. */
static const char *content_of(const struct reading *reading, const char *name,
    char out[TAR_BLOCK])
{
	struct archive_entry entry;
	struct err err = ERR_INIT;

	memset(out, 0, TAR_BLOCK);
	if (archive_reader_find(reading->reader, name, &entry))
		assert_int_equal(file_pread(archive_reader_fd(reading->reader),
				     out, entry.size, entry.offset, &err),
		    entry.size);
	return out;
}

static void make_links(struct buf *tar)
{
	put_text(tar, "a.json", "one");
	put_text(tar, "./b.json", "first");
	put_text(tar, "/b.json", "two");
	put_text(tar, "x//layer.tar", "layer");
	put_link(tar, TAR_SYMLINK, "y/layer.tar", "../x/layer.tar");
	put_link(tar, TAR_SYMLINK, "z/layer.tar", "../y/./layer.tar");
	put_link(tar, TAR_HARDLINK, "hard.tar", "x/layer.tar");
	put_link(tar, TAR_SYMLINK, "absolute", "/a.json");
	put_link(tar, TAR_SYMLINK, "loop", "pool");
	put_link(tar, TAR_SYMLINK, "pool", "loop");
	put_link(tar, TAR_SYMLINK, "outside", "../../a.json");
	put_link(tar, TAR_SYMLINK, "nowhere", "nothing");
	put_link(tar, TAR_SYMLINK, "itself", "itself");
	put_link(tar, TAR_SYMLINK, "root", "/");
	put_text(tar, "../escape", "escaped");
	put_end(tar);
}

static void test_find(void **state)
{
	static const struct {
		const char *name, *content;
	} cases[] = {
	    {"a.json", "one"},
	    {"./a.json", "one"},
	    {"/a.json", "one"},
	    {"x/../a.json", "one"},
	    {"b.json", "two"},
	    {"x/layer.tar", "layer"},
	    {"y/layer.tar", "layer"},
	    {"z/layer.tar", "layer"},
	    {"hard.tar", "layer"},
	    {"absolute", "one"},
	    {"loop", ""},
	    {"outside", ""},
	    {"nowhere", ""},
	    {"itself", ""},
	    {"root", ""},
	    {"escape", ""},
	    {"../escape", ""},
	    {"", ""},
	    {"missing", ""},
	};
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_READING struct reading reading;
	char content[TAR_BLOCK];

	(void)state;
	make_links(&tar);
	reading_all(&reading, &tar);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(content_of(&reading, cases[i].name,
					content),
		    cases[i].content);
}

/* A GNU sparse file's bytes are not the layer's. */
static void test_sparse(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	static const char records[] = "22 GNU.sparse.major=1\n";

	(void)state;
	put_text(&tar, "pax", records);
	/* The header of the text is a block before the last. */
	tar.len -= TAR_BLOCK;
	change_type(&tar, (enum tar_type)'x', "");
	tar.len += TAR_BLOCK;
	put_text(&tar, HEX64 ".tar", "content");
	put_end(&tar);
	check_refused(&tar, 100, "sparse");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_end),
	    cmocka_unit_test(test_content),
	    cmocka_unit_test(test_padding),
	    cmocka_unit_test(test_behind_end),
	    cmocka_unit_test(test_no_archive),
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_no_end_of_rootfs),
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_sparse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
