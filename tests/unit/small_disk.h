/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the store on a disk that is small, or full: a tmpfs, which only
 * root can mount. */
#ifndef TESTS_SMALL_DISK_H
#define TESTS_SMALL_DISK_H

#include <sys/mount.h>

#include "parts_fixture.h"

int setup_small_disk(void **state);

int teardown_small_disk(void **state);

/* The test is skipped where nothing could be mounted. */
struct fixture *require_disk(void **state);

/* Takes room that the store cannot get back. */
void fill(const struct fixture *f);

/* Leaves that many bytes, whole pages, of the disk. */
void fill_up_to(const struct fixture *f, off_t left);

/* What took the room is gone. */
void unfill(const struct fixture *f);

void remount(const struct fixture *f, unsigned long flags);

#define DISK_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_small_disk, \
	    teardown_small_disk)

#endif
