/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tar walker on the files in tests/cases/tar: what it says about each,
 * however the file is cut into pieces, against the text beside it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/strf.h"
#include "tar/walker.h"

enum {
	CASE_MAX = 1 << 20,
	FEWEST_CASES = 180, /* that glob() finds them is part of the test */
	RANDOM_ROUNDS = 20,
};

struct walk {
	struct buf *out; /* what the walker says, see list_entry() */
	const char *tar;
	uint64_t body_at, body_left; /* where the next data should be from */
	bool skipping;               /* no data is expected */
};

static void list_sparse(struct buf *out, const struct tar_entry *entry,
    struct err *err)
{
	if (!entry->is_sparse) {
		assert_int_equal(entry->file_size, entry->size);
		assert_null(entry->extents);
		assert_int_equal(entry->extent_count, 0);
		return;
	}
	buf_addf(out, err, "  sparse %" PRIu64, entry->file_size);
	for (size_t i = 0; i < entry->extent_count; i++)
		buf_addf(out, err, " %" PRIu64 "+%" PRIu64,
		    entry->extents[i].offset, entry->extents[i].size);
	buf_addf(out, err, "\n");
}

/* Bytes that are no text as \xNN. */
static void list_xattr(struct buf *out, const struct tar_xattr *xattr,
    struct err *err)
{
	const unsigned char *value = xattr->value;

	buf_addf(out, err, "  xattr %s %zu \"", xattr->name, xattr->len);
	for (size_t i = 0; i < xattr->len; i++)
		buf_addf(out, err,
		    value[i] >= ' ' && value[i] <= '~' ? "%c" : "\\x%02x",
		    value[i]);
	buf_addf(out, err, "\"\n");
}

/* A line, and lines with what only some entries have. */
static int list_entry(void *arg, const struct tar_entry *entry, struct err *err)
{
	struct walk *walk = arg;
	char nanos[16] = "";

	assert_int_equal(walk->body_left, 0);
	walk->body_at = entry->offset;
	walk->body_left = walk->skipping ? 0 : entry->size;
	if (entry->mtime_nanos)
		snprintf(nanos, sizeof(nanos), ".%09" PRIu32,
		    entry->mtime_nanos);
	buf_addf(walk->out, err,
	    "%c %04" PRIo32 " %" PRIu32 ":%" PRIu32 " %" PRIu32 ",%" PRIu32
	    " %" PRIu64 " @%" PRIu64 " %" PRId64 "%s %s%s%s\n",
	    (char)entry->type, entry->mode, entry->uid, entry->gid,
	    entry->dev_major, entry->dev_minor, entry->size, entry->offset,
	    entry->mtime, nanos, entry->name, *entry->link ? " -> " : "",
	    entry->link);
	list_sparse(walk->out, entry, err);
	for (size_t i = 0; i < entry->xattr_count; i++)
		list_xattr(walk->out, &entry->xattrs[i], err);
	return 0;
}

static int compare_data(void *arg, const void *data, size_t len,
    struct err *err)
{
	struct walk *walk = arg;

	(void)err;
	assert_true(len > 0 && len <= walk->body_left);
	assert_memory_equal(data, walk->tar + walk->body_at, len);
	walk->body_at += len;
	walk->body_left -= len;
	return 0;
}

static const char *lack_text(const struct tar_walker *walker)
{
	switch (tar_walker_lacks(walker)) {
	case TAR_LACKS_NOTHING:
		return tar_walker_between(walker) ? "between" : "enough";
	case TAR_LACKS_DATA:
		return "lacks data";
	case TAR_LACKS_HEADER:
		break;
	}
	return "lacks a header";
}

/* What the walker thinks of it now that all was fed. */
static void list_end(struct walk *walk, const struct tar_walker *walker, int r,
    struct err *err)
{
	struct err ignored = ERR_INIT;

	if (r < 0) {
		assert_int_equal(r, -EINVAL);
		buf_addf(walk->out, &ignored, "error %s\n", err->msg);
	} else if (r == 1) {
		assert_string_equal(lack_text(walker), "between");
		buf_addf(walk->out, &ignored, "end %" PRIu64 "\n",
		    tar_walker_offset(walker));
	} else {
		buf_addf(walk->out, &ignored, "%s\n", lack_text(walker));
	}
}

/* Feeds tar in pieces of at most `piece` bytes, with a seed of random sizes. */
static void walk_pieces(const struct buf *tar, size_t piece, unsigned seed,
    struct buf *out)
{
	struct err err = ERR_INIT;
	struct walk walk = {.out = out, .tar = tar->data};
	struct tar_handler handler = {list_entry, compare_data, &walk};
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	size_t done = 0, used = 0;
	int r = 0;

	assert_int_equal(tar_walker_new(&handler, &walker, &err), 0);
	while (r == 0 && done < tar->len) {
		size_t n = seed ? (size_t)rand_r(&seed) % piece + 1 : piece;

		if (n > tar->len - done)
			n = tar->len - done;
		r = tar_walker_feed(walker, tar->data + done, n, &used, &err);
		done += r < 0 ? 0 : used;
		assert_true(r != 0 || used == n);
	}
	if (r >= 0)
		assert_int_equal(tar_walker_offset(walker), done);
	if (r == 1)
		assert_int_equal(walk.body_left, 0);
	list_end(&walk, walker, r, &err);
}

/* Without a data handler. */
static void walk_skipping(const struct buf *tar, struct buf *out)
{
	struct err err = ERR_INIT;
	struct walk walk = {.out = out, .tar = tar->data, .skipping = true};
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	struct tar_handler handler = {list_entry, NULL, &walk};
	int r;

	assert_int_equal(tar_walker_new(&handler, &walker, &err), 0);
	r = tar_walker_feed(walker, buf_str(tar), tar->len, NULL, &err);
	list_end(&walk, walker, r, &err);
}

/* Says where they differ, and goes on to the other cases. */
static bool same(const char *path, const char *how, const struct buf *out,
    const struct buf *expected)
{
	if (strcmp(buf_str(out), buf_str(expected)) == 0)
		return true;
	print_error("%s, %s:\n%s--- expected:\n%s", path, how, buf_str(out),
	    buf_str(expected));
	return false;
}

static bool check_case(const char *path)
{
	AUTO_BUF struct buf tar = BUF_INIT(CASE_MAX);
	AUTO_BUF struct buf expected = BUF_INIT(CASE_MAX);
	AUTO_BUF struct buf out = BUF_INIT(CASE_MAX);
	AUTO_FREE char *text_path =
	    strf("%.*s.txt", (int)(strlen(path) - strlen(".tar")), path);
	struct err err = ERR_INIT;
	bool right;

	assert_int_equal(file_slurp(path, &tar, &err), 0);
	assert_int_equal(file_slurp(text_path, &expected, &err), 0);
	walk_pieces(&tar, tar.len + 1, 0, &out);
	right = same(path, "in one piece", &out, &expected);
	buf_reset(&out);
	walk_pieces(&tar, 1, 0, &out);
	right &= same(path, "byte by byte", &out, &expected);
	for (unsigned seed = 1; right && seed <= RANDOM_ROUNDS; seed++) {
		buf_reset(&out);
		walk_pieces(&tar, seed % 2 ? 700 : 3000, seed, &out);
		right = same(path, "in random pieces", &out, &expected);
	}
	buf_reset(&out);
	walk_skipping(&tar, &out);
	return same(path, "skipping", &out, &expected) && right;
}

static void test_cases(void **state)
{
	AUTO_FREE char *pattern = strf("%s/tar/*.tar", getenv("CASES"));
	size_t wrong = 0;
	glob_t found;

	(void)state;
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= FEWEST_CASES);
	for (size_t i = 0; i < found.gl_pathc; i++)
		wrong += !check_case(found.gl_pathv[i]);
	globfree(&found);
	assert_int_equal(wrong, 0);
}

static int refuse_entry(void *arg, const struct tar_entry *entry,
    struct err *err)
{
	(void)arg;
	return err_set(err, ENOSPC, "no room for %s", entry->name);
}

/* What a handler says is not the walker's to change. */
static void test_handler_fails(void **state)
{
	AUTO_FREE char *path = strf("%s/tar/no-end.tar", getenv("CASES"));
	AUTO_BUF struct buf tar = BUF_INIT(CASE_MAX);
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	struct tar_handler handler = {refuse_entry, NULL, NULL};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(file_slurp(path, &tar, &err), 0);
	assert_int_equal(tar_walker_new(&handler, &walker, &err), 0);
	assert_int_equal(tar_walker_feed(walker, tar.data, tar.len, NULL, &err),
	    -ENOSPC);
	assert_string_equal(err.msg, "no room for f");
}

/* A feed behind the end takes nothing. */
static void test_after_end(void **state)
{
	static const char zeros[1024];
	struct walk walk = {0};
	struct tar_handler handler = {list_entry, NULL, &walk};
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	struct err err = ERR_INIT;
	size_t used = 1;

	(void)state;
	assert_int_equal(tar_walker_new(&handler, &walker, &err), 0);
	assert_int_equal(tar_walker_feed(walker, zeros, 1024, &used, &err), 1);
	assert_int_equal(used, 1024);
	assert_int_equal(tar_walker_feed(walker, "more", 4, &used, &err), 1);
	assert_int_equal(used, 0);
	assert_int_equal(tar_walker_offset(walker), 1024);
}

/*
 * How many bytes of a sparse file's map are taken, where a case ends in it and
 * goes on with that block for ever.
 */
static size_t longest_map(const char *name, const char *block)
{
	AUTO_FREE char *path = strf("%s/tar/%s.tar", getenv("CASES"), name);
	AUTO_BUF struct buf tar = BUF_INIT(CASE_MAX);
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	struct tar_handler handler = {refuse_entry, NULL, NULL};
	struct err err = ERR_INIT;
	size_t taken = 0;

	assert_int_equal(file_slurp(path, &tar, &err), 0);
	assert_int_equal(tar_walker_new(&handler, &walker, &err), 0);
	assert_int_equal(tar_walker_feed(walker, tar.data, tar.len, NULL, &err),
	    0);
	while (tar_walker_feed(walker, block, TAR_BLOCK, NULL, &err) == 0)
		taken += TAR_BLOCK;
	assert_int_equal(err.code, EINVAL);
	assert_non_null(strstr(err.msg, "the sparse file's map is too long"));
	return taken;
}

static void test_longest_map(void **state)
{
	char more[TAR_BLOCK] = {[504] = 1};
	char digits[TAR_BLOCK];

	(void)state;
	memset(digits, '0', sizeof(digits));
	assert_int_equal(longest_map("truncated-sparse-gnu-block", more),
	    TAR_EXTENDED_MAX);
	/* The case has a block of it. */
	assert_int_equal(longest_map("truncated-sparse-pax-1.0-line", digits),
	    TAR_EXTENDED_MAX - TAR_BLOCK);
}

static void test_sniff(void **state)
{
	AUTO_FREE char *path = strf("%s/tar/v7.tar", getenv("CASES"));
	AUTO_BUF struct buf tar = BUF_INIT(CASE_MAX);
	static const char zeros[TAR_BLOCK];
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(file_slurp(path, &tar, &err), 0);
	assert_true(tar_sniff(tar.data, tar.len));
	assert_true(tar_sniff(tar.data, TAR_BLOCK));
	assert_false(tar_sniff(tar.data, TAR_BLOCK - 1));
	assert_true(tar_sniff(zeros, TAR_BLOCK));
	assert_false(tar_sniff(zeros, TAR_BLOCK - 1));
	tar.data[0] ^= 1;
	assert_false(tar_sniff(tar.data, TAR_BLOCK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_handler_fails),
	    cmocka_unit_test(test_after_end),
	    cmocka_unit_test(test_longest_map),
	    cmocka_unit_test(test_sniff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
