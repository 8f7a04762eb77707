/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of scratch directories. All of a mount are one local file system,
 * so that files can be moved and linked between them: its root has a directory
 * for each repository, and each of those holds that repository's scratch
 * directories.
 */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "base/log.h"
#include "habits/caller.h"
#include "habits/habits.h"
#include "node/nodes.h"
#include "upload/written_file.h"

struct scratches {
	pthread_mutex_t lock;
	/* Made with the first one, and then there; under lock. */
	struct store_private *contents;
	struct localfs *fs;
};

struct scratches *scratches_new(struct err *err)
{
	struct scratches *scratches = calloc(1, sizeof(*scratches));

	if (!scratches) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&scratches->lock, NULL);
	return scratches;
}

/* One in the directory of its repository, unless it is empty. */
static void log_lost(struct local_inode *above, const char *repository,
    const char *name)
{
	CLEANUP(local_put_p) struct local_inode *dir = NULL;
	uint64_t count = 0;

	if (local_lookup(above, name, &dir, ERR_IGNORE) == 0)
		count = local_count(dir);
	if (count > 0)
		log_warn("%s/%s: a directory with %llu entr%s was not pushed "
			 "and is lost with the mount",
		    repository, name, (unsigned long long)count,
		    count == 1 ? "y" : "ies");
}

static int add_name(void *arg, const char *name, uint64_t number, mode_t mode,
    struct err *err)
{
	return dirlist_add(arg, name, strlen(name), mode, number, err);
}

static struct dirlist *names_in(struct local_inode *dir, struct err *err)
{
	CLEANUP(dirlist_free_p) struct dirlist *list = dirlist_new(err);

	if (!list || local_list(dir, add_name, list, err) < 0)
		return NULL;
	return steal(&list);
}

static void log_lost_in(struct localfs *fs, const char *repository)
{
	CLEANUP(local_put_p) struct local_inode *above = NULL;
	CLEANUP(dirlist_free_p) struct dirlist *names = NULL;

	if (local_lookup(localfs_root(fs), repository, &above, ERR_IGNORE) == 0)
		names = names_in(above, ERR_IGNORE);
	for (size_t i = 0; names && i < dirlist_count(names); i++)
		log_lost(above, repository,
		    dirlist_name(names, dirlist_at(names, i)));
}

static void log_all_lost(struct localfs *fs)
{
	CLEANUP(dirlist_free_p)
	struct dirlist *names = names_in(localfs_root(fs), ERR_IGNORE);

	for (size_t i = 0; names && i < dirlist_count(names); i++)
		log_lost_in(fs, dirlist_name(names, dirlist_at(names, i)));
}

void scratches_free(struct scratches *scratches)
{
	if (scratches->fs) {
		log_all_lost(scratches->fs);
		localfs_free(scratches->fs);
	}
	store_private_free(scratches->contents);
	pthread_mutex_destroy(&scratches->lock);
	free(scratches);
}

static struct localfs *known_fs(struct scratches *scratches)
{
	SCOPED_LOCK(&scratches->lock);
	return scratches->fs;
}

static struct localfs *make_fs(struct mount *mount, struct err *err)
{
	struct scratches *scratches = mount->scratches;

	SCOPED_LOCK(&scratches->lock);
	if (scratches->fs)
		return scratches->fs;
	if (!scratches->contents &&
	    store_private_new(mount->store, &scratches->contents, err) < 0)
		return NULL;
	scratches->fs =
	    localfs_new(store_private_path(scratches->contents), err);
	return scratches->fs;
}

/* Where the scratch directories of a repository are, if it has any: 1, 0. */
static int find_above_of(struct mount_source *source, const char *repository,
    struct local_inode **out, struct err *err)
{
	AUTO_FREE char *unique = source_unique_name(source, repository);
	struct localfs *fs = known_fs(source->mount->scratches);
	int r = -ENOENT;

	if (!unique)
		return err_nomem(err);
	if (fs)
		r = local_lookup(localfs_root(fs), unique, out, err);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

static int find_above(const struct node *dir, struct local_inode **out,
    struct err *err)
{
	return find_above_of(dir->source, repo_node_repository(dir), out, err);
}

static int make_above_of(struct mount_source *source, const char *repository,
    struct local_inode **out, struct err *err)
{
	const struct local_making making = {.mode = S_IFDIR};
	AUTO_FREE char *unique = source_unique_name(source, repository);
	struct localfs *fs = make_fs(source->mount, err);
	int r;

	if (!fs)
		return -err->code;
	if (!unique)
		return err_nomem(err);
	r = local_make(localfs_root(fs), unique, &making, out, err);
	if (r == -EEXIST)
		r = local_lookup(localfs_root(fs), unique, out, err);
	return r;
}

static int make_above(const struct node *dir, struct local_inode **out,
    struct err *err)
{
	return make_above_of(dir->source, repo_node_repository(dir), out, err);
}

bool scratch_in(struct mount_source *source, const char *repository)
{
	CLEANUP(local_put_p) struct local_inode *above = NULL;

	return find_above_of(source, repository, &above, ERR_IGNORE) == 1 &&
	       local_count(above) > 0;
}

int scratch_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	CLEANUP(local_put_p) struct local_inode *above = NULL;
	CLEANUP(local_put_p) struct local_inode *inode = NULL;
	int r = find_above(dir, &above, err);

	if (r == 1)
		r = local_lookup(above, name, &inode, err);
	else
		return r;
	if (r == 0)
		r = scratch_node(dir->source, inode, out, err);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

int scratch_list(struct node *dir, struct dirlist *out, struct err *err)
{
	CLEANUP(local_put_p) struct local_inode *above = NULL;
	int r = find_above(dir, &above, err);

	return r <= 0 ? r : scratch_list_inode(above, out, err);
}

int scratch_mkdir(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	CLEANUP(local_put_p) struct local_inode *above = NULL;
	CLEANUP(local_put_p) struct local_inode *inode = NULL;
	struct caller caller = caller_now();
	const struct local_making making = {.mode = S_IFDIR | (mode & 07777),
	    .uid = caller.uid,
	    .gid = caller.gid};
	int r = make_above(dir, &above, err);

	if (r == 0)
		r = local_make(above, name, &making, &inode, err);
	return r < 0 ? r : scratch_node(dir->source, inode, out, err);
}

int scratch_rmdir(struct node *dir, const char *name, struct err *err)
{
	CLEANUP(local_put_p) struct local_inode *above = NULL;
	int r = find_above(dir, &above, err);

	if (r == 1)
		r = local_rmdir(above, name, err);
	else
		return r;
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

int scratch_unlink(struct node *dir, const char *name, struct err *err)
{
	CLEANUP(local_put_p) struct local_inode *above = NULL;
	int r = find_above(dir, &above, err);

	if (r <= 0)
		return r;
	r = local_unlink(above, name, err);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

int scratch_save(struct mount_source *source, const char *repository,
    const char *name, const struct buf *bytes, struct err *err)
{
	const struct local_making making = {.mode = S_IFREG | 0644,
	    .uid = source->mount->uid,
	    .gid = source->mount->gid};
	CLEANUP(local_put_p) struct local_inode *above = NULL;
	CLEANUP(local_put_p) struct local_inode *file = NULL;
	int r = make_above_of(source, repository, &above, err);

	if (r < 0)
		return r;
	local_unlink(above, name, ERR_IGNORE);
	r = local_make(above, name, &making, &file, err);
	if (r == 0)
		r = local_open(file, err);
	if (r < 0)
		return r;
	r = local_write(file, bytes->data, bytes->len, 0, err);
	local_close(file);
	return r;
}

int scratch_load(struct mount_source *source, const char *repository,
    const char *name, struct buf *out, struct err *err)
{
	CLEANUP(local_put_p) struct local_inode *above = NULL;
	CLEANUP(local_put_p) struct local_inode *file = NULL;
	struct stat st;
	ssize_t n;
	int r = find_above_of(source, repository, &above, err);

	if (r == 1)
		r = local_lookup(above, name, &file, err);
	if (r < 0 || !file)
		return r == -ENOENT ? 0 : r;
	local_stat(file, &st);
	r = buf_reserve(out, (size_t)st.st_size, err);
	if (r == 0)
		r = local_open(file, err);
	if (r < 0)
		return r;
	n = local_read(file, out->data + out->len, (size_t)st.st_size, 0, err);
	local_close(file);
	if (n < 0)
		return (int)n;
	out->len += (size_t)n;
	return 1;
}

void scratch_forget(struct mount_source *source, const char *repository)
{
	AUTO_FREE char *unique = source_unique_name(source, repository);
	struct localfs *fs = known_fs(source->mount->scratches);

	if (fs && unique)
		local_remove_all(localfs_root(fs), unique, ERR_IGNORE);
}

/* What leaves a scratch directory for a repository. The kernel believes its
 * name for ever, though it may become a tag's: mv copies it. */
static int move_out(struct node *to_dir, const char *to_name, struct err *err)
{
	if (to_dir->kind == NODE_REPO &&
	    name_is_temporary(WRITE_IN_REPOSITORY, to_name))
		return err_set(err, EXDEV,
		    "this cannot be moved there; copy it");
	return err_set(err, EPERM,
	    "only a whole scratch directory can become an image; move this "
	    "into one of its own first");
}

/* A whole scratch directory gets another name, or becomes an image. */
static int move_whole(struct node *dir, struct local_inode *above,
    const char *name, struct node *to_dir, const char *to_name, struct err *err)
{
	CLEANUP(local_put_p) struct local_inode *to_above = NULL;
	CLEANUP(intent_release) struct write_intent intent = {0};
	int r = write_intent_of_tree(to_dir, to_name, &intent, err);

	if (r < 0)
		return r;
	if (intent.effect != WRITE_NOTHING)
		return scratch_push(dir, above, name, &intent, err);
	if (!*repo_node_repository(to_dir))
		return err_set(err, EPERM,
		    "an image needs a repository; create it in one");
	r = make_above(to_dir, &to_above, err);
	return r < 0 ? r
		     : local_rename(above, name, to_above, to_name, false, err);
}

static bool is_directory(struct local_inode *dir, const char *name)
{
	CLEANUP(local_put_p) struct local_inode *inode = NULL;
	struct stat st = {0};

	if (local_lookup(dir, name, &inode, ERR_IGNORE) == 0)
		local_stat(inode, &st);
	return S_ISDIR(st.st_mode);
}

/* What is in a scratch directory. */
static int move_part(struct local_inode *dir, const char *name,
    struct node *to_dir, const char *to_name, unsigned flags, struct err *err)
{
	if (to_dir->kind == NODE_SCRATCH)
		return local_rename(dir, name, scratch_inode(to_dir), to_name,
		    flags & RENAME_EXCHANGE, err);
	if (is_directory(dir, name))
		return move_out(to_dir, to_name, err);
	/* A file that mv writes there may be a push. */
	return err_set(err, EXDEV, "this cannot be moved there; copy it");
}

/* What is no scratch directory: a file that waits for its push can be copied
 * into one. */
static int move_in(struct node *dir, const char *name, struct node *to_dir,
    struct err *err)
{
	CLEANUP(node_put_p) struct node *file = NULL;
	int r;

	if (to_dir->kind != NODE_SCRATCH)
		return 0;
	r = written_names_lookup(dir, name, &file, err);
	return r == 1
		   ? err_set(err, EXDEV, "this cannot be moved there; copy it")
		   : r;
}

int scratch_rename(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err)
{
	CLEANUP(local_put_p) struct local_inode *above = NULL;
	const unsigned all_flags = flags;
	int r;

	flags &= ~(unsigned)RENAME_NOREPLACE;
	if (flags & ~(unsigned)RENAME_EXCHANGE)
		return err_set(err, EINVAL,
		    "this kind of rename is not supported");
	if (dir->kind == NODE_SCRATCH)
		return move_part(scratch_inode(dir), name, to_dir, to_name,
		    flags, err);
	r = find_above(dir, &above, err);
	if (r < 0)
		return r;
	if (r == 0 || !is_directory(above, name))
		return move_in(dir, name, to_dir, err);
	if (flags)
		return err_set(err, EINVAL,
		    "a scratch directory's name cannot be exchanged");
	r = move_into_check(to_dir, name, to_name, all_flags, err);
	if (r < 0)
		return r;
	r = to_dir->kind == NODE_SCRATCH
		? local_rename(above, name, scratch_inode(to_dir), to_name,
		      false, err)
		: move_whole(dir, above, name, to_dir, to_name, err);
	return r < 0 ? r : 1;
}
