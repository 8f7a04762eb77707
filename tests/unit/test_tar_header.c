/* SPDX-License-Identifier: Apache-2.0 */
/* Headers that are written, as the walker reads them and byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "tar/header.h"
#include "tar/walker.h"

enum { OUT_MAX = 1 << 16 };

static int keep_entry(void *arg, const struct tar_entry *entry, struct err *err)
{
	struct tar_entry *kept = arg;

	(void)err;
	*kept = *entry;
	/* The name is valid during the call only. */
	kept->name = strdup(entry->name);
	return 0;
}

/* Prints a header, reads it back; returns how many bytes it has. */
static size_t check_round_trip(const char *name, uint64_t size, int64_t mtime)
{
	AUTO_BUF struct buf out = BUF_INIT(OUT_MAX);
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	struct tar_entry entry = {0};
	struct tar_handler handler = {keep_entry, NULL, &entry};
	struct err err = ERR_INIT;
	bool is_directory = name[strlen(name) - 1] == '/';

	assert_int_equal(tar_header_print(&out, name, size, mtime, &err), 0);
	assert_int_equal(out.len % TAR_BLOCK, 0);
	assert_int_equal(tar_walker_new(&handler, &walker, &err), 0);
	assert_int_equal(tar_walker_feed(walker, out.data, out.len, NULL, &err),
	    0);
	assert_string_equal(entry.name, name);
	assert_int_equal(entry.type, is_directory ? TAR_DIRECTORY : TAR_FILE);
	assert_int_equal(entry.size, size);
	assert_int_equal(entry.offset, out.len);
	assert_int_equal(entry.mtime, mtime);
	assert_int_equal(entry.mode, is_directory ? 0755 : 0644);
	free((void *)(uintptr_t)entry.name);
	return out.len;
}

/* A name of that many characters, with slashes at the places given. */
static const char *name_of(char name[TAR_NAME_MAX + 2], size_t len,
    size_t slash, size_t slash2)
{
	memset(name, 'n', len);
	name[len] = '\0';
	if (slash)
		name[slash] = '/';
	if (slash2)
		name[slash2] = '/';
	return name;
}

static void test_names(void **state)
{
	char name[TAR_NAME_MAX + 2];

	(void)state;
	assert_int_equal(check_round_trip("f", 1, 0), 512);
	assert_int_equal(check_round_trip("blobs/sha256/", 0, 0), 512);
	assert_int_equal(check_round_trip(name_of(name, 100, 0, 0), 1, 0), 512);
	/* Split into prefix and name, at the ends of what is possible. */
	assert_int_equal(check_round_trip(name_of(name, 102, 1, 0), 1, 0), 512);
	assert_int_equal(check_round_trip(name_of(name, 256, 155, 0), 1, 0),
	    512);
	assert_int_equal(check_round_trip(name_of(name, 256, 155, 255), 0, 0),
	    512);
	assert_int_equal(check_round_trip(name_of(name, 256, 20, 155), 1, 0),
	    512);
	/* These cannot be split. */
	assert_int_equal(check_round_trip(name_of(name, 101, 0, 0), 1, 0),
	    1536);
	assert_int_equal(check_round_trip(name_of(name, 257, 155, 0), 1, 0),
	    1536);
	assert_int_equal(check_round_trip(name_of(name, 257, 156, 0), 1, 0),
	    1536);
	assert_int_equal(check_round_trip(name_of(name, 102, 101, 0), 0, 0),
	    1536);
	assert_true(
	    check_round_trip(name_of(name, TAR_NAME_MAX, 9, 0), 1, 0) > 4096);
}

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(check_round_trip("f", 0, 1700000000), 512);
	assert_int_equal(check_round_trip("f", (UINT64_C(1) << 33) - 1, 0),
	    512);
	assert_int_equal(check_round_trip("f", UINT64_C(1) << 33, 0), 1536);
	assert_int_equal(check_round_trip("f", INT64_MAX / 2, 0), 1536);
	assert_int_equal(check_round_trip("f", 0, (INT64_C(1) << 33) - 1), 512);
	assert_int_equal(check_round_trip("f", 0, INT64_C(1) << 33), 1536);
	assert_int_equal(check_round_trip("f", 0, -1), 1536);
}

/* A pax record's length counts its own digits, also where they get more. */
static void test_record_lengths(void **state)
{
	char name[TAR_NAME_MAX + 2];

	(void)state;
	for (size_t len = 101; len < 1100; len++)
		check_round_trip(name_of(name, len, 0, 0), 1, 0);
}

struct copy {
	struct tar_entry entry;
	char name[TAR_NAME_MAX + 1], link[TAR_NAME_MAX + 1];
	struct tar_xattr xattrs[4];
	char xattr_names[4][256];
	char values[4][256];
};

static int copy_entry(void *arg, const struct tar_entry *entry, struct err *err)
{
	struct copy *copy = arg;

	(void)err;
	copy->entry = *entry;
	strncpy(copy->name, entry->name, TAR_NAME_MAX);
	strncpy(copy->link, entry->link, TAR_NAME_MAX);
	assert_in_range(entry->xattr_count, 0, 4);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		strncpy(copy->xattr_names[i], entry->xattrs[i].name, 255);
		assert_in_range(entry->xattrs[i].len, 0, 256);
		memcpy(copy->values[i], entry->xattrs[i].value,
		    entry->xattrs[i].len);
		copy->xattrs[i].len = entry->xattrs[i].len;
	}
	return 0;
}

/* What is printed is what the walker reads, to the last field. */
static void check_entry(const struct tar_entry *entry)
{
	AUTO_BUF struct buf out = BUF_INIT(OUT_MAX);
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	AUTO_FREE struct copy *copy = calloc(1, sizeof(*copy));
	struct tar_handler handler = {copy_entry, NULL, copy};
	struct err err = ERR_INIT;

	assert_int_equal(tar_entry_print(&out, entry, &err), 0);
	assert_int_equal(tar_walker_new(&handler, &walker, &err), 0);
	assert_int_equal(tar_walker_feed(walker, out.data, out.len, NULL, &err),
	    0);
	assert_string_equal(copy->name, entry->name);
	assert_string_equal(copy->link, entry->link);
	assert_int_equal(copy->entry.type, entry->type);
	assert_int_equal(copy->entry.size, entry->size);
	assert_int_equal(copy->entry.mode, entry->mode);
	assert_int_equal(copy->entry.uid, entry->uid);
	assert_int_equal(copy->entry.gid, entry->gid);
	assert_int_equal(copy->entry.mtime, entry->mtime);
	assert_int_equal(copy->entry.mtime_nanos, entry->mtime_nanos);
	assert_int_equal(copy->entry.dev_major, entry->dev_major);
	assert_int_equal(copy->entry.dev_minor, entry->dev_minor);
	assert_int_equal(copy->entry.xattr_count, entry->xattr_count);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		assert_string_equal(copy->xattr_names[i],
		    entry->xattrs[i].name);
		assert_int_equal(copy->xattrs[i].len, entry->xattrs[i].len);
		assert_memory_equal(copy->values[i], entry->xattrs[i].value,
		    entry->xattrs[i].len);
	}
}

static void test_entries(void **state)
{
	char name[TAR_NAME_MAX + 2], link[TAR_NAME_MAX + 2];
	const struct tar_xattr xattrs[] = {
	    {"security.capability", "\1\0\0\n=\0", 6},
	    {"user.empty", "", 0},
	    {"user.text", "value", 5},
	};

	(void)state;
	check_entry(&(struct tar_entry){.type = TAR_FILE,
	    .name = "bin/su",
	    .link = "",
	    .size = 7,
	    .mode = 06755,
	    .uid = 2097151,
	    .gid = 2097152,
	    .mtime = 1700000000,
	    .xattrs = xattrs,
	    .xattr_count = 3});
	check_entry(&(struct tar_entry){.type = TAR_FILE,
	    .name = "dir/\xc3\xa4\xff\n",
	    .link = "",
	    .uid = UINT32_MAX,
	    .mtime = -1,
	    .xattrs = xattrs,
	    .xattr_count = 1});
	check_entry(&(struct tar_entry){.type = TAR_SYMLINK,
	    .name = "link",
	    .link = name_of(link, 100, 0, 0),
	    .mode = 0777});
	check_entry(&(struct tar_entry){.type = TAR_SYMLINK,
	    .name = "link",
	    .link = name_of(link, 101, 50, 0),
	    .mode = 0777});
	check_entry(&(struct tar_entry){.type = TAR_HARDLINK,
	    .name = name_of(name, 150, 0, 0),
	    .link = name_of(link, TAR_NAME_MAX, 9, 0)});
	check_entry(&(struct tar_entry){.type = TAR_CHAR,
	    .name = "dev/null",
	    .link = "",
	    .mode = 0666,
	    .dev_major = 1,
	    .dev_minor = 3});
	check_entry(&(struct tar_entry){.type = TAR_BLOCK_DEVICE,
	    .name = "dev/x",
	    .link = "",
	    .dev_major = 4095,
	    .dev_minor = 1048575});
	check_entry(&(struct tar_entry){.type = TAR_FIFO,
	    .name = "fifo",
	    .link = "",
	    .mode = 01644});
	check_entry(&(struct tar_entry){.type = TAR_DIRECTORY,
	    .name = "./",
	    .link = "",
	    .mode = 01777});
}

static void test_parts_of_seconds(void **state)
{
	static const struct {
		int64_t seconds;
		uint32_t nanos;
	} times[] = {{1700000000, 120000000}, {-2, 999999999}, {-1, 1}, {0, 1},
	    {INT64_C(1) << 40, 999999999}};

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		check_entry(&(struct tar_entry){.type = TAR_FILE,
		    .name = "f",
		    .link = "",
		    .mtime = times[i].seconds,
		    .mtime_nanos = times[i].nanos});
}

static void test_refuses_attributes(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(OUT_MAX);
	AUTO_FREE char *large = calloc(1, TAR_EXTENDED_MAX);
	const struct tar_xattr no_name = {"user.a=b", "", 0};
	const struct tar_xattr too_large = {"user.a", large, TAR_EXTENDED_MAX};
	struct tar_entry entry = {.type = TAR_FILE,
	    .name = "f",
	    .link = "",
	    .xattrs = &no_name,
	    .xattr_count = 1};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(tar_entry_print(&out, &entry, &err), -EINVAL);
	entry.xattrs = &too_large;
	assert_int_equal(tar_entry_print(&out, &entry, &err), -EINVAL);
}

static void test_refuses(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(OUT_MAX);
	char name[TAR_NAME_MAX + 2];
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(tar_header_print(&out, "", 0, 0, &err), -EINVAL);
	assert_int_equal(tar_header_print(&out,
			     name_of(name, TAR_NAME_MAX + 1, 0, 0), 0, 0, &err),
	    -EINVAL);
	assert_int_equal(tar_header_print(&out, "f", UINT64_MAX, 0, &err),
	    -EINVAL);
}

static void test_padding(void **state)
{
	(void)state;
	assert_int_equal(tar_padding(0), 0);
	assert_int_equal(tar_padding(1), 511);
	assert_int_equal(tar_padding(511), 1);
	assert_int_equal(tar_padding(512), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_record_lengths),
	    cmocka_unit_test(test_entries),
	    cmocka_unit_test(test_parts_of_seconds),
	    cmocka_unit_test(test_refuses_attributes),
	    cmocka_unit_test(test_refuses),
	    cmocka_unit_test(test_padding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
