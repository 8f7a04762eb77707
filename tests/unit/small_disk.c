/* SPDX-License-Identifier: Apache-2.0 */
#include "small_disk.h"

int setup_small_disk(void **state)
{
	struct fixture *f;

	store_setup_closed(state);
	f = *state;
	/* Room for one and a half of the test's blobs. */
	if (mount("none", f->dir, "tmpfs", 0, "mode=0700,size=2304k") == 0)
		store_fixture_open(f);
	return 0;
}

int teardown_small_disk(void **state)
{
	struct fixture *f = *state;

	if (f->store) {
		store_fixture_close(f);
		umount(f->dir);
	}
	return store_teardown(state);
}

struct fixture *require_disk(void **state)
{
	struct fixture *f = *state;

	if (!f->store) {
		print_message("skipped: mounting a tmpfs needs root\n");
		skip();
	}
	return f;
}

static const char *foreign_path(const struct fixture *f, char out[512])
{
	snprintf(out, 512, "%s/foreign", f->dir);
	return out;
}

void fill(const struct fixture *f)
{
	char path[512];

	write_file(foreign_path(f, path), f->content.bytes, MIB);
}

void fill_up_to(const struct fixture *f, off_t left)
{
	static const char page[4096];
	char path[512];
	off_t size = 0;
	int fd;

	fd = open(foreign_path(f, path), O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	while (write(fd, page, sizeof(page)) == (ssize_t)sizeof(page))
		size += (off_t)sizeof(page);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(ftruncate(fd, size - left), 0);
	close(fd);
}

void unfill(const struct fixture *f)
{
	char path[512];

	assert_int_equal(unlink(foreign_path(f, path)), 0);
}

void remount(const struct fixture *f, unsigned long flags)
{
	assert_int_equal(mount(NULL, f->dir, NULL, MS_REMOUNT | flags, NULL),
	    0);
}
