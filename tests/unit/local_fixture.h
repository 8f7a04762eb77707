/* SPDX-License-Identifier: Apache-2.0 */
/* A local file system, and short words for what is done to it. */
#ifndef TESTS_UNIT_LOCAL_FIXTURE_H
#define TESTS_UNIT_LOCAL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "local/local.h"
#include "scratch.h"

struct fixture {
	struct scratch scratch;
	struct localfs *fs;
	struct local_inode *root; /* borrowed */
};

int local_setup(void **state);

/* How many contents there are on the disk. */
size_t contents(const struct fixture *f);

int local_teardown(void **state);

/* Each gives an inode that is to be given back. */
struct local_inode *make_entry(struct local_inode *dir, const char *name,
    mode_t mode);

struct local_inode *make_dir(struct local_inode *dir, const char *name);

struct local_inode *make_file(struct local_inode *dir, const char *name,
    const char *content);

struct stat stat_of(struct local_inode *inode);

bool local_exists(struct local_inode *dir, const char *name);

#define AUTO_INODE CLEANUP(local_put_p) struct local_inode

#endif
