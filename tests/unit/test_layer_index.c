/* SPDX-License-Identifier: Apache-2.0 */
/* Files of indexes: those that are not whole are noticed. */
#include "index_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "index/format.h"
#include "index/mapped.h"

enum { FILE_MAX = 1 << 20 };

static int open_bytes(const void *data, size_t size, struct layer_index **out)
{
	struct err err = ERR_INIT;
	int fd = memfd_create("index", MFD_CLOEXEC), r;

	assert_true(fd >= 0);
	assert_int_equal(file_pwrite(fd, data, size, 0, &err), 0);
	r = layer_index_open(fd, out, &err);
	assert_int_equal(r, -err.code);
	/* It was taken, and closed. */
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	return r;
}

static int open_damaged(const struct buf *file)
{
	struct layer_index *index = NULL;
	int r = open_bytes(file->data, file->len, &index);

	if (r == 0)
		layer_index_close(index);
	return r;
}

/* Something of everything. */
static struct builder *sample(void)
{
	const struct tar_extent extent = {3, 4};
	const struct tar_xattr xattr = {"user.a", "b", 1};
	const struct tar_entry sparse = {.type = TAR_FILE,
	    .name = "d/s",
	    .link = "",
	    .file_size = 10,
	    .size = 4,
	    .is_sparse = true,
	    .extents = &extent,
	    .extent_count = 1,
	    .xattrs = &xattr,
	    .xattr_count = 1};
	const struct layer_span span = {.in_len = 9, .out_len = 9};
	struct builder *builder = begin();
	struct err err = ERR_INIT;

	add_entry(builder, &sparse);
	add_symlink(builder, "l", "d");
	add_link(builder, "h", "d/s");
	assert_int_equal(builder_add_span(builder, &span, "win", 3, &err), 0);
	return builder;
}

static struct buf sample_file(void)
{
	struct buf file = BUF_INIT(FILE_MAX);
	struct err err = ERR_INIT;
	AUTO_FD int fd = end_file(sample());
	off_t size = lseek(fd, 0, SEEK_END);

	assert_int_equal(buf_reserve(&file, (size_t)size, &err), 0);
	assert_int_equal(file_pread(fd, file.data, (size_t)size, 0, &err),
	    size);
	file.len = (size_t)size;
	return file;
}

static void test_whole(void **state)
{
	AUTO_BUF struct buf file = sample_file();
	struct layer_index *index;

	(void)state;
	assert_int_equal(open_bytes(file.data, file.len, &index), 0);
	assert_names(index, "", "d h l");
	layer_index_close(index);
}

static void test_any_damage(void **state)
{
	AUTO_BUF struct buf file = sample_file();

	(void)state;
	for (size_t i = 0; i < file.len; i++) {
		char was = file.data[i];

		file.data[i] = (char)(was ^ 1 << i % 8);
		/* The version's characters say that it is another one. */
		if (open_damaged(&file) !=
		    (i == 6 || i == 7 ? -ESTALE : -EBADMSG))
			fail_msg("byte %zu of %zu", i, file.len);
		file.data[i] = was;
	}
	assert_int_equal(open_damaged(&file), 0);
}

static void test_any_length(void **state)
{
	AUTO_BUF struct buf file = sample_file();
	struct err err = ERR_INIT;
	size_t len = file.len;

	(void)state;
	assert_int_equal(buf_add(&file, "12345678", 8, &err), 0);
	for (file.len = 0; file.len <= len + 8; file.len++)
		assert_int_equal(open_damaged(&file),
		    file.len == len ? 0 : -EBADMSG);
	file.len = len;
}

static void test_no_file(void **state)
{
	struct layer_index *index;
	struct err err = ERR_INIT;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(layer_index_open(fds[0], &index, &err), -EBADMSG);
	close(fds[1]);
}

/* A file with that for its content, which nothing else is wrong with. */
static int open_content(const char *magic, const struct mapped_piece *pieces,
    size_t count)
{
	struct layer_index *index;
	struct err err = ERR_INIT;
	int fd = memfd_create("index", MFD_CLOEXEC), r;

	assert_int_equal(mapped_write(fd, magic, pieces, count, &err), 0);
	r = layer_index_open(fd, &index, &err);
	if (r == 0)
		layer_index_close(index);
	return r;
}

static void test_other_versions(void **state)
{
	AUTO_BUF struct buf file = sample_file();
	const struct mapped_piece piece = {file.data + 24, file.len - 24};
	char magic[] = INDEX_MAGIC;

	(void)state;
	assert_int_equal(open_content(magic, &piece, 1), 0);
	magic[7]++;
	assert_int_equal(open_content(magic, &piece, 1), -ESTALE);
	assert_int_equal(open_content("rfstre01", &piece, 1), -EBADMSG);
}

/* Lists that are longer than the file. */
static void test_lists_that_do_not_fit(void **state)
{
	const struct layer_entry root = {.mode = S_IFDIR | 0755};
	const struct index_head good = {.blob_algorithm = DIGEST_SHA256,
	    .entries = 1,
	    .heap = 1};
	const uint64_t counts[] = {9, 100, UINT32_MAX, UINT64_MAX / 80 + 1,
	    UINT64_MAX - 7, UINT64_MAX};
	struct index_head head = good;
	const struct mapped_piece pieces[] = {{&head, sizeof(head)},
	    {&root, sizeof(root)}, {"", 1}};

	(void)state;
	assert_int_equal(open_content(INDEX_MAGIC, pieces, 3), 0);
	assert_int_equal(open_content(INDEX_MAGIC, pieces, 0), -EBADMSG);
	assert_int_equal(open_content(INDEX_MAGIC, pieces, 1), -EBADMSG);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		uint64_t *const lists[] = {&head.entries, &head.children,
		    &head.spans, &head.extents, &head.heap};

		for (size_t j = 0; j < sizeof(lists) / sizeof(*lists); j++) {
			head = good;
			*lists[j] = counts[i];
			assert_int_equal(open_content(INDEX_MAGIC, pieces, 3),
			    -EBADMSG);
		}
	}
	/* Without a digest that is known. */
	head = good;
	head.blob_algorithm = DIGEST_SHA512 + 1;
	assert_int_equal(open_content(INDEX_MAGIC, pieces, 3), -EBADMSG);
	head = good;
	head.vouching = LAYER_BY_STREAM;
	assert_int_equal(open_content(INDEX_MAGIC, pieces, 3), -EBADMSG);
	/* Without a root, or a text for it. */
	head = good;
	head.entries = 0;
	assert_int_equal(open_content(INDEX_MAGIC, pieces, 3), -EBADMSG);
	head = good;
	head.heap = 0;
	assert_int_equal(open_content(INDEX_MAGIC, pieces, 3), -EBADMSG);
}

static void test_id(void **state)
{
	AUTO_INDEX struct layer_index *one = end(sample());
	AUTO_INDEX struct layer_index *same = end(sample());
	struct builder *builder = sample();
	AUTO_INDEX struct layer_index *other = NULL;

	(void)state;
	add_file(builder, "more", 1);
	other = end(builder);
	assert_true(layer_index_id(one) == layer_index_id(same));
	assert_true(layer_index_id(one) != layer_index_id(other));
}

static void test_facts(void **state)
{
	struct layer_facts facts = {.vouching = LAYER_BY_STREAM,
	    .compression = COMPRESSION_ZSTD,
	    .blob = {.algorithm = DIGEST_SHA512},
	    .blob_size = UINT64_C(1) << 39,
	    .stream = {.algorithm = DIGEST_SHA256},
	    .stream_size = UINT64_C(1) << 42};
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;
	struct err err = ERR_INIT;
	int fd = memfd_create("index", MFD_CLOEXEC);
	const struct layer_facts *got;

	(void)state;
	memset(facts.blob.bytes, 0xaa, DIGEST_MAX_BYTES);
	memset(facts.stream.bytes, 0xbb, 32);
	add_link(builder, "h", "n");
	assert_int_equal(builder_write(builder, &facts, fd, &err), 0);
	builder_free(builder);
	assert_int_equal(layer_index_open(fd, &index, &err), 0);
	got = layer_index_facts(index);
	assert_int_equal(got->vouching, LAYER_BY_STREAM);
	assert_int_equal(got->compression, COMPRESSION_ZSTD);
	assert_true(digest_equal(&got->blob, &facts.blob));
	assert_true(digest_equal(&got->stream, &facts.stream));
	assert_int_equal(got->blob_size, facts.blob_size);
	assert_int_equal(got->stream_size, facts.stream_size);
	assert_true(got->has_dangling);
	assert_false(got->has_acls);
}

static void test_find(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;
	uint32_t found;

	(void)state;
	add_file(builder, "a", 1);
	add_file(builder, "ab", 2);
	add_file(builder, "abc", 3);
	index = end(builder);
	/* The name ends where it is said to. */
	assert_true(find_in(index, LAYER_ROOT, "abcd", 1, &found));
	assert_int_equal(entry_in(index, found).data, 1);
	assert_true(find_in(index, LAYER_ROOT, "abcd", 2, &found));
	assert_int_equal(entry_in(index, found).data, 2);
	assert_true(find_in(index, LAYER_ROOT, "abcd", 3, &found));
	assert_false(find_in(index, LAYER_ROOT, "abcd", 4, &found));
	assert_false(find_in(index, LAYER_ROOT, "", 0, &found));
	/* In a file is nothing. */
	assert_false(find_in(index, number_at(index, "a"), "a", 1, &found));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_any_damage),
	    cmocka_unit_test(test_any_length),
	    cmocka_unit_test(test_no_file),
	    cmocka_unit_test(test_other_versions),
	    cmocka_unit_test(test_lists_that_do_not_fit),
	    cmocka_unit_test(test_id),
	    cmocka_unit_test(test_facts),
	    cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
