/* SPDX-License-Identifier: Apache-2.0 */
#include "local_fixture.h"

int local_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = ERR_INIT;

	if (!f || scratch_make(&f->scratch) < 0)
		return -1;
	f->fs = localfs_new(f->scratch.path, &err);
	f->root = localfs_root(f->fs);
	*state = f;
	return 0;
}

size_t contents(const struct fixture *f)
{
	DIR *dir = opendir(f->scratch.path);
	size_t count = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

int local_teardown(void **state)
{
	struct fixture *f = *state;

	localfs_free(f->fs);
	assert_int_equal(contents(f), 0);
	scratch_remove(&f->scratch);
	free(f);
	return 0;
}

struct local_inode *make_entry(struct local_inode *dir, const char *name,
    mode_t mode)
{
	const struct local_making making = {.mode = mode,
	    .uid = 1,
	    .gid = 2,
	    .target = "target"};
	struct local_inode *inode = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(local_make(dir, name, &making, &inode, &err), 0);
	return inode;
}

struct local_inode *make_dir(struct local_inode *dir, const char *name)
{
	return make_entry(dir, name, S_IFDIR | 0755);
}

struct local_inode *make_file(struct local_inode *dir, const char *name,
    const char *content)
{
	struct local_inode *inode = make_entry(dir, name, S_IFREG | 0644);
	struct err err = ERR_INIT;

	assert_int_equal(local_open(inode, &err), 0);
	assert_int_equal(local_write(inode, content, strlen(content), 0, &err),
	    0);
	local_close(inode);
	return inode;
}

struct stat stat_of(struct local_inode *inode)
{
	struct stat st = {0};

	local_stat(inode, &st);
	return st;
}

bool local_exists(struct local_inode *dir, const char *name)
{
	CLEANUP(local_put_p) struct local_inode *inode = NULL;
	struct err err = ERR_INIT;

	return local_lookup(dir, name, &inode, &err) == 0;
}
