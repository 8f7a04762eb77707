/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cases of the walker, written as plain tars: each then is one, with the
 * same entries and contents; what was one stays as it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "tar/plain.h"
#include "tar/walker.h"

enum {
	CASE_MAX = 4 << 20,
	/* The sparse cases whose files are larger say what is impossible. */
	WRITTEN_MAX = 8 << 20,
};

struct written {
	struct sink sink;
	struct buf bytes;
};

static int keep(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct written *written = (struct written *)sink;

	return buf_add(&written->bytes, data, len, err);
}

/* What a tar says: a line an entry, with the data that readers of it get. */
struct listing {
	struct buf lines;
	const struct buf *tar;
	bool is_plain;
};

static void list_data(struct listing *listing, const struct tar_entry *entry)
{
	AUTO_BUF struct buf data = BUF_INIT(WRITTEN_MAX);
	uint64_t from = entry->offset;
	struct err err = ERR_INIT;
	uint64_t sum = 0;

	if (entry->file_size > WRITTEN_MAX)
		return;
	assert_int_equal(buf_reserve(&data, entry->file_size, &err), 0);
	memset(data.data, 0, entry->file_size);
	if (!entry->is_sparse)
		memcpy(data.data, listing->tar->data + from, entry->size);
	for (size_t i = 0; i < entry->extent_count; i++) {
		memcpy(data.data + entry->extents[i].offset,
		    listing->tar->data + from, entry->extents[i].size);
		from += entry->extents[i].size;
	}
	for (uint64_t i = 0; i < entry->file_size; i++)
		sum = sum * 31 + (uint8_t)data.data[i];
	buf_addf(&listing->lines, &err, " %" PRIx64, sum);
}

static int list_entry(void *arg, const struct tar_entry *entry, struct err *err)
{
	struct listing *listing = arg;
	size_t len = strlen(entry->name);

	/* A directory's slash is no part of what it is called. */
	if (entry->type == TAR_DIRECTORY && len > 0 &&
	    entry->name[len - 1] == '/')
		len--;
	buf_addf(&listing->lines, err,
	    "%c %.*s -> %s %o %u:%u %u,%u %" PRIu64 " @%" PRId64, entry->type,
	    (int)len, entry->name, entry->link, entry->mode, entry->uid,
	    entry->gid, entry->dev_major, entry->dev_minor, entry->file_size,
	    entry->mtime);
	for (size_t i = 0; i < entry->xattr_count; i++)
		buf_addf(&listing->lines, err, " %s=%.*s",
		    entry->xattrs[i].name, (int)entry->xattrs[i].len,
		    (const char *)entry->xattrs[i].value);
	if (entry->offset + entry->size <= listing->tar->len)
		list_data(listing, entry);
	return buf_addstr(&listing->lines, "\n", err);
}

/* Whether it is whole. */
static bool list(const struct buf *tar, struct listing *listing)
{
	const struct tar_handler handler = {.entry = list_entry,
	    .arg = listing};
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	struct err err = ERR_INIT;
	int r;

	*listing = (struct listing){.lines = BUF_INIT(CASE_MAX), .tar = tar};
	assert_int_equal(tar_walker_new(&handler, &walker, &err), 0);
	r = tar_walker_feed(walker, tar->data, tar->len, NULL, &err);
	listing->is_plain = tar_walker_is_plain(walker);
	return r >= 0 && tar_walker_lacks(walker) == TAR_LACKS_NOTHING;
}

/* What comes before the tar in its file is not of it. */
static int write_plain(const struct buf *tar, struct written *written,
    struct err *err)
{
	AUTO_FD int fd = file_temp("/tmp", err);

	assert_true(fd >= 0);
	assert_int_equal(file_pwrite(fd, "before", 6, 0, err), 0);
	assert_int_equal(file_pwrite(fd, tar->data, tar->len, 6, err), 0);
	*written =
	    (struct written){.sink = {keep}, .bytes = BUF_INIT(WRITTEN_MAX)};
	return tar_write_plain(fd, 6, tar->len, &written->sink, err);
}

static bool check_case(const char *path)
{
	AUTO_BUF struct buf tar = BUF_INIT(CASE_MAX);
	struct listing before, after;
	struct written written;
	struct err err = ERR_INIT;
	bool whole, same = true;
	int r;

	assert_int_equal(file_slurp(path, &tar, &err), 0);
	whole = list(&tar, &before);
	r = write_plain(&tar, &written, &err);
	if (whole && r == 0) {
		assert_true(list(&written.bytes, &after));
		same = after.is_plain && strcmp(buf_str(&before.lines),
					     buf_str(&after.lines)) == 0;
		if (!same)
			print_error("%s:\n%s--- became\n%s", path,
			    buf_str(&before.lines), buf_str(&after.lines));
		buf_release(&after.lines);
	} else if (r == 0 || (r != -EINVAL && r != -EFBIG)) {
		print_error("%s: %d %s\n", path, r, err.msg);
		same = false;
	}
	buf_release(&before.lines);
	buf_release(&written.bytes);
	return same;
}

static void test_cases(void **state)
{
	AUTO_FREE char *path = file_path("%s/tar/*.tar", getenv("CASES"));
	size_t wrong = 0;
	glob_t found;

	(void)state;
	assert_int_equal(glob(path, 0, NULL, &found), 0);
	assert_true(found.gl_pathc > 100);
	for (size_t i = 0; i < found.gl_pathc; i++)
		wrong += !check_case(found.gl_pathv[i]);
	globfree(&found);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
