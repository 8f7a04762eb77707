/* SPDX-License-Identifier: Apache-2.0 */
/* Files on the local disk, in a directory that each test makes and removes. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strf.h"

static char dir[] = "/tmp/test_file.XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	memcpy(strrchr(dir, '.'), ".XXXXXX", 7);
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_dir(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *path, const char *text)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	struct err err = ERR_INIT;

	assert_true(fd >= 0);
	assert_int_equal(file_pwrite(fd, text, strlen(text), 0, &err), 0);
}

static void mkdirs_makes_all_with_the_mode(void **state)
{
	AUTO_FREE char *path = strf("%s/a//b/c/", dir);
	AUTO_FREE char *middle = strf("%s/a/b", dir);
	struct err err = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(file_mkdirs(path, 0700, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(stat(middle, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(file_mkdirs(path, 0700, &err), 0);
	assert_int_equal(file_mkdirs("/", 0700, &err), 0);
	assert_int_equal(err.code, 0);
}

static void mkdirs_refuses_what_is_no_directory(void **state)
{
	AUTO_FREE char *file = strf("%s/file", dir);
	AUTO_FREE char *below = strf("%s/file/below", dir);
	struct err err = ERR_INIT;

	(void)state;
	write_file(file, "");
	assert_int_equal(file_mkdirs(file, 0700, &err), -ENOTDIR);
	assert_non_null(strstr(err.msg, file));
	assert_int_equal(file_mkdirs(below, 0700, &err), -ENOTDIR);
	assert_int_equal(file_mkdirs("", 0700, &err), -ENOENT);
}

static void slurp_appends_the_whole_file(void **state)
{
	AUTO_FREE char *path = strf("%s/file", dir);
	AUTO_BUF struct buf text = BUF_INIT(20000);
	AUTO_BUF struct buf buf = BUF_INIT(20001);
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < 2000; i++)
		assert_int_equal(buf_addf(&text, &err, "%-10d", i), 0);
	write_file(path, buf_str(&text));
	assert_int_equal(buf_addstr(&buf, ">", &err), 0);
	assert_int_equal(file_slurp(path, &buf, &err), 0);
	assert_int_equal(buf.len, 20001);
	assert_string_equal(buf_str(&buf) + 1, buf_str(&text));
}

static void slurp_stops_at_the_limit(void **state)
{
	AUTO_FREE char *path = strf("%s/file", dir);
	AUTO_BUF struct buf exact = BUF_INIT(5);
	AUTO_BUF struct buf small = BUF_INIT(4);
	struct err err = ERR_INIT;

	(void)state;
	write_file(path, "12345");
	assert_int_equal(file_slurp(path, &exact, &err), 0);
	assert_string_equal(buf_str(&exact), "12345");
	assert_int_equal(file_slurp(path, &small, &err), -EFBIG);
	assert_non_null(strstr(err.msg, path));
}

static void slurp_reports_what_cannot_be_read(void **state)
{
	AUTO_FREE char *path = strf("%s/missing", dir);
	AUTO_BUF struct buf buf = BUF_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(file_slurp(path, &buf, &err), -ENOENT);
	assert_int_equal(file_slurp(dir, &buf, &err), -EISDIR);
	assert_non_null(strstr(err.msg, dir));
	assert_int_equal(buf.len, 0);
}

static void pread_and_pwrite_at_offsets(void **state)
{
	struct err err = ERR_INIT;
	AUTO_FD int fd = file_temp(dir, &err);
	char data[10] = "";

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_pwrite(fd, "world", 5, 5, &err), 0);
	assert_int_equal(file_pwrite(fd, "hello", 5, 0, &err), 0);
	assert_int_equal(file_pwrite(fd, NULL, 0, 0, &err), 0);
	assert_int_equal(file_pread(fd, data, 7, 0, &err), 7);
	assert_memory_equal(data, "hellowo", 7);
	assert_int_equal(file_pread(fd, data, sizeof(data), 8, &err), 2);
	assert_memory_equal(data, "ld", 2);
	assert_int_equal(file_pread(fd, data, sizeof(data), 10, &err), 0);
	assert_int_equal(err.code, 0);
}

static void pread_and_pwrite_report_errors(void **state)
{
	AUTO_FD int full = open("/dev/full", O_RDWR | O_CLOEXEC);
	struct err err = ERR_INIT;
	char data[1];

	(void)state;
	assert_true(full >= 0);
	assert_int_equal(file_pwrite(full, "x", 1, 0, &err), -ENOSPC);
	assert_int_equal(file_pwrite(-1, "x", 1, 0, &err), -EBADF);
	assert_int_equal(file_pread(-1, data, 1, 0, &err), -EBADF);
	assert_int_equal(err.code, EBADF);
}

static void temp_has_no_name(void **state)
{
	struct err err = ERR_INIT;
	AUTO_FD int fd = file_temp(dir, &err);
	struct stat st;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	/* The directory is empty: it can go, and temp then fails. */
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(file_temp(dir, &err), -ENOENT);
	assert_non_null(strstr(err.msg, dir));
	assert_int_equal(mkdir(dir, 0700), 0);
}

#define TEST_IN_DIR(test) \
	cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST_IN_DIR(mkdirs_makes_all_with_the_mode),
	    TEST_IN_DIR(mkdirs_refuses_what_is_no_directory),
	    TEST_IN_DIR(slurp_appends_the_whole_file),
	    TEST_IN_DIR(slurp_stops_at_the_limit),
	    TEST_IN_DIR(slurp_reports_what_cannot_be_read),
	    TEST_IN_DIR(pread_and_pwrite_at_offsets),
	    TEST_IN_DIR(pread_and_pwrite_report_errors),
	    TEST_IN_DIR(temp_has_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
