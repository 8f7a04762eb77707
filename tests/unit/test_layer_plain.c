/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tars written as the trees that they are: each then is one that engines
 * unpack, and the same tree comes of it.
 */
#include "index_fixture.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/strf.h"
#include "layer/plain.h"
#include "tar/header.h"
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

/* A tar that is being read. */
struct reading {
	struct builder *builder;
	struct layer_plain *plain;
	bool whole, is_plain;
	int check; /* what layer_plain_check() says */
};

static void reading_release(struct reading *reading)
{
	builder_free(reading->builder);
	layer_plain_free(reading->plain);
}

static int take_entry(void *arg, const struct tar_entry *entry, struct err *err)
{
	struct reading *reading = arg;

	layer_plain_add(reading->plain, entry);
	return builder_add(reading->builder, entry, err);
}

static void read_tar(const struct buf *tar, struct reading *reading)
{
	const struct tar_handler handler = {.entry = take_entry,
	    .arg = reading};
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	struct err err = ERR_INIT;
	int r;

	*reading = (struct reading){.builder = begin()};
	assert_int_equal(layer_plain_new("/tmp", &reading->plain, &err), 0);
	assert_int_equal(tar_walker_new(&handler, &walker, &err), 0);
	r = tar_walker_feed(walker, tar->data, tar->len, NULL, &err);
	reading->whole =
	    r >= 0 && tar_walker_lacks(walker) == TAR_LACKS_NOTHING;
	reading->is_plain = tar_walker_is_plain(walker);
	reading->check = layer_plain_check(reading->plain, true, &err);
}

/* What readers of a file get. */
static uint64_t sum_of(const struct layer_index *index,
    const struct layer_entry *entry, const struct buf *tar)
{
	AUTO_BUF struct buf data = BUF_INIT(WRITTEN_MAX);
	struct err err = ERR_INIT;
	uint64_t from = entry->data, sum = 0;

	if (entry->size == 0 || entry->size > WRITTEN_MAX)
		return 0;
	assert_int_equal(buf_reserve(&data, entry->size, &err), 0);
	memset(data.data, 0, entry->size);
	if (!(entry->flags & LAYER_SPARSE))
		memcpy(data.data, tar->data + from, entry->size);
	for (uint32_t i = 0; i < entry->extent_count; i++) {
		struct layer_extent extent;

		assert_int_equal(layer_index_extent(index, entry, i, &extent,
				     &err),
		    0);
		memcpy(data.data + extent.offset, tar->data + from,
		    extent.size);
		from += extent.size;
	}
	for (uint64_t i = 0; i < entry->size; i++)
		sum = sum * 31 + (uint8_t)data.data[i];
	return sum;
}

static void list_xattrs(const struct layer_index *index,
    const struct layer_entry *entry, struct buf *out)
{
	AUTO_BUF struct buf xattrs = BUF_INIT(CASE_MAX);
	struct err err = ERR_INIT;
	size_t cursor = 0;
	const char *name;
	const void *value;
	uint32_t len;

	assert_int_equal(layer_index_xattrs(index, entry, &xattrs, &err), 0);
	while (layer_next_xattr(&xattrs, &cursor, &name, &value, &len))
		buf_addf(out, &err, " %s=%.*s", name, (int)len,
		    (const char *)value);
}

/* A line an entry. A directory that nothing describes says nothing, nor does a
 * whiteout but by its name. */
static void list(const struct layer_index *index, uint32_t number,
    const char *name, const struct buf *tar, struct buf *out)
{
	const struct layer_entry entry = entry_in(index, number);
	AUTO_FREE char *target = NULL;
	struct err err = ERR_INIT;
	bool is_dir = S_ISDIR(entry.mode);

	if (!is_dir && strncmp(name, ".wh.", 4) == 0) {
		buf_addf(out, &err, "%s\n", name);
		return;
	}
	assert_int_equal(layer_index_target(index, &entry, &target, &err), 0);
	buf_addf(out, &err, "%s -> %s", name, target);
	if (!(entry.flags & LAYER_IMPLIED)) {
		buf_addf(out, &err, " %o %u:%u @%" PRId64 ".%u", entry.mode,
		    entry.uid, entry.gid, entry.mtime, entry.mtime_nanos);
		list_xattrs(index, &entry, out);
	}
	if (S_ISREG(entry.mode) && !(entry.flags & LAYER_DANGLING))
		buf_addf(out, &err, " %" PRIu64 " %" PRIx64, entry.size,
		    sum_of(index, &entry, tar));
	if (S_ISCHR(entry.mode) || S_ISBLK(entry.mode))
		buf_addf(out, &err, " %" PRIx64, entry.data);
	if (!is_dir)
		buf_addf(out, &err, " x%u", entry_in(index, entry.link).links);
	buf_addstr(out, "\n", &err);
	for (uint32_t i = 0; is_dir && i < entry.child_count; i++) {
		const struct child child = child_in(index, number, i);

		list(index, child.entry, child.name, tar, out);
	}
}

/* Ends the builder. */
static void list_tree(struct reading *reading, const struct buf *tar,
    struct buf *out)
{
	AUTO_INDEX struct layer_index *index = end(steal(&reading->builder));

	*out = BUF_INIT(CASE_MAX);
	list(index, LAYER_ROOT, ".", tar, out);
}

/* What comes before the tar in its file is not of it. */
static int write_plain(struct reading *reading, const struct buf *tar,
    struct buf *out, struct err *err)
{
	AUTO_FD int fd = file_temp("/tmp", err);
	struct written written = {.sink = {keep},
	    .bytes = BUF_INIT(WRITTEN_MAX)};
	int r;

	assert_true(fd >= 0);
	assert_int_equal(file_pwrite(fd, "before", 6, 0, err), 0);
	assert_int_equal(file_pwrite(fd, tar->data, tar->len, 6, err), 0);
	r = layer_plain_write(reading->plain, fd, 6, &written.sink, err);
	*out = written.bytes;
	return r;
}

/* Whether the tree of tar is the one of what is written of it. */
static bool same_tree(struct reading *reading, const struct buf *tar,
    const char *name)
{
	AUTO_BUF struct buf before = {0}, after = {0}, written = {0};
	CLEANUP(reading_release) struct reading again = {0};
	struct err err = ERR_INIT;
	int r = write_plain(reading, tar, &written, &err);

	if (r < 0) {
		print_error("%s: %d %s\n", name, r, err.msg);
		return r == -EFBIG || r == -EINVAL;
	}
	read_tar(&written, &again);
	assert_true(again.whole);
	list_tree(reading, tar, &before);
	list_tree(&again, &written, &after);
	if (again.is_plain && again.check == 0 &&
	    strcmp(buf_str(&before), buf_str(&after)) == 0)
		return true;
	print_error("%s:\n%s--- became (%d)\n%s", name, buf_str(&before),
	    again.check, buf_str(&after));
	return false;
}

static bool check_case(const char *path)
{
	AUTO_BUF struct buf tar = BUF_INIT(CASE_MAX);
	CLEANUP(reading_release) struct reading reading = {0};
	struct err err = ERR_INIT;

	assert_int_equal(file_slurp(path, &tar, &err), 0);
	read_tar(&tar, &reading);
	return !reading.whole || reading.check < 0 ||
	       same_tree(&reading, &tar, path);
}

static void test_cases(void **state)
{
	AUTO_FREE char *path = strf("%s/tar/*.tar", getenv("CASES"));
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

/* Entries of one letter: F and G are files that differ, D a directory, S a
 * symbolic link and H a hard link, whose target follows '>'. */
static void add(struct buf *tar, const char *what)
{
	const char *arrow = strchr(what, '>');
	char name[64], data[TAR_BLOCK] = {0};
	struct tar_entry entry = {.name = name,
	    .link = arrow ? arrow + 1 : "",
	    .mode = *what == 'G' ? 0600 : 0755,
	    .mtime = *what};
	struct err err = ERR_INIT;

	snprintf(name, sizeof(name), "%.*s",
	    (int)(arrow ? arrow - what - 1 : (int)strlen(what)), what + 1);
	data[0] = *what;
	switch (*what) {
	case 'D':
		entry.type = TAR_DIRECTORY;
		break;
	case 'S':
		entry.type = TAR_SYMLINK;
		break;
	case 'H':
		entry.type = TAR_HARDLINK;
		break;
	default:
		entry.type = TAR_FILE;
		entry.size = 1;
	}
	assert_int_equal(tar_entry_print(tar, &entry, &err), 0);
	if (entry.size > 0)
		buf_add(tar, data, sizeof(data), &err);
}

/* Entries with spaces between them. */
static void make_tar(struct buf *tar, const char *entries)
{
	AUTO_FREE char *text = strdup(entries);
	char *rest = text, *what;
	static const char zeros[2 * TAR_BLOCK];
	struct err err = ERR_INIT;

	*tar = BUF_INIT(CASE_MAX);
	while ((what = strsep(&rest, " ")))
		add(tar, what);
	buf_add(tar, zeros, sizeof(zeros), &err);
}

static void test_names_twice(void **state)
{
	static const char *const cases[] = {"Ff Gf", "Ff F./f", "F/f Gf",
	    "Fd//f Gd/f", "Dd/ Fd/x Dd/", "D./ Fx D./", "Dd/ Fd/x Gd",
	    "Fd Dd/ Gd/x", "Ff Hh>f Gf", "Ff Hh>f Gf Hi>h Hj>f", "Ff Hh>f Gh",
	    "Ff Gh Hh>f", "Ff Hf>f", "Ff Hh>f Hh>f", "Sl>a Fl",
	    "Dt/ Sl>t Fl/x Dl/", "Dt/ Sl>t Fl/x Sl>t", "Dd/ Fd/x Hh>d/x Gd",
	    "F.wh.a F.wh.a", "Fa F.wh.a", "Fa F.wh.a Ga",
	    "Dd/ Fd/x Gd Dd/ Gd/y", "Ff Hh>f Gf Gh", "Hh>below Hh>below",
	    "Ff Sl>f Hm>l Gl", "Sl>a/b Fl/x", "Ff H.wh.x>f Ff",
	    "F.wh.x Hf>.wh.x Gf"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO_BUF struct buf tar = {0};
		CLEANUP(reading_release) struct reading reading = {0};

		make_tar(&tar, cases[i]);
		read_tar(&tar, &reading);
		if (reading.check != 1)
			fail_msg("%s: %d", cases[i], reading.check);
		assert_true(same_tree(&reading, &tar, cases[i]));
	}
}

static void test_as_it_stands(void **state)
{
	static const char *const cases[] = {"Ff Gg", "Fd/x Dd/", "Fd/x Gd",
	    "Ff Hh>f Hi>h", "Hh>below", "F.wh.a", "F.wh.a Fa",
	    "Dd/ Fd/x Fd/.wh..wh..opq", "Dd/ Sl>d Fl/x"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO_BUF struct buf tar = {0};
		CLEANUP(reading_release) struct reading reading = {0};

		make_tar(&tar, cases[i]);
		read_tar(&tar, &reading);
		if (reading.check != 0)
			fail_msg("%s: %d", cases[i], reading.check);
	}
}

/* Without layers below; of a tar that has a name twice as well. */
static void test_what_nobody_unpacks(void **state)
{
	static const struct {
		const char *entries, *sentence;
	} cases[] = {
	    {"Fa Fa/b", "the entry a/b cannot be unpacked: its parent is not a "
			"directory"},
	    {"Fa Fa/b/c Ga",
		"the entry a/b/c cannot be unpacked: its parent is not a "
		"directory"},
	    {"Dd/ Hh>d",
		"the entry h cannot be unpacked: it is a hard link to a "
		"directory"},
	    {"Sl>l Fl/x",
		"the entry l/x cannot be unpacked: its name leads nowhere"},
	    {"Dd/ Hd/h>../f Ff",
		"the entry d/h cannot be unpacked: it is a hard "
		"link to f, which the tar does not have before "
		"it"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO_BUF struct buf tar = {0};
		CLEANUP(reading_release) struct reading reading = {0};
		struct err err = ERR_INIT;

		make_tar(&tar, cases[i].entries);
		read_tar(&tar, &reading);
		assert_int_equal(layer_plain_check(reading.plain, false, &err),
		    -EINVAL);
		if (strncmp(err.msg, cases[i].sentence,
			strlen(cases[i].sentence)) != 0)
			fail_msg("%s: %s", cases[i].entries, err.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_names_twice),
	    cmocka_unit_test(test_as_it_stands),
	    cmocka_unit_test(test_what_nobody_unpacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
