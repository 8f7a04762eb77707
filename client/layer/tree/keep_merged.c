/* SPDX-License-Identifier: Apache-2.0 */
/* Trees are kept in the store, named by the indexes that they are made of. */
#include "keep_merged.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/log.h"
#include "base/strf.h"

/* The keys say which layers and tables of contents, so that nobody can make
 * another stack with the same name; the numbers, which indexes of those. */
static int make_name(struct layer *const *layers,
    const struct merged_stack *stack, char **name, struct err *err)
{
	CLEANUP(hasher_free_p)
	struct hasher *hasher = hasher_new(DIGEST_SHA256, err);
	struct digest digest;
	char text[DIGEST_TEXT_SIZE];
	int r = hasher ? 0 : -err->code;

	for (size_t i = 0; r == 0 && i < stack->count; i++) {
		const uint64_t id = layer_index_id(stack->layers[i]);
		const char *key = layer_key(layers[i]);

		r = hasher_update(hasher, key, strlen(key) + 1, err);
		if (r == 0)
			r = hasher_update(hasher, &id, sizeof(id), err);
	}
	if (r == 0)
		r = hasher_finish(hasher, &digest, err);
	if (r < 0)
		return r;
	*name = strf("tree-%s", digest_hex(&digest, text));
	return *name ? 0 : err_nomem(err);
}

static int open_kept(struct store *store, const char *name,
    const struct merged_stack *stack, const struct merged *damaged,
    struct merged **out, struct err *err)
{
	AUTO_FD int fd = store_derived_open(store, name, err);

	if (fd < 0)
		return fd;
	if (damaged && merged_is_of(damaged, fd))
		return err_set(err, ESTALE,
		    "the file is still the damaged one");
	return merged_open(stack, steal_fd(&fd), out, err);
}

/* 1, or 0 where none is kept, or none that is whole. */
static int find(struct store *store, const char *name,
    const struct merged_stack *stack, const struct merged *damaged,
    struct merged **out, struct err *err)
{
	struct err reason = ERR_INIT;
	int r = open_kept(store, name, stack, damaged, out, &reason);

	if (r == 0)
		return 1;
	if (r == -EBADMSG)
		log_warn("the tree of an image's layers is rebuilt: %s",
		    reason.msg);
	if (r == -EBADMSG || r == -ESTALE)
		store_derived_drop(store, name);
	if (r == -EBADMSG || r == -ESTALE || r == -ENOENT)
		return 0;
	*err = reason;
	return r;
}

/* A tree to be written. */
struct merged_written {
	const struct merged_stack *stack;
	const char *dir;
};

static int write_tree(void *arg, int fd, struct err *err)
{
	const struct merged_written *written = arg;

	return merged_write(written->stack, written->dir, fd, err);
}

/* A small cache may have no room for it: it is used all the same. */
static int make(struct store *store, const struct merged_stack *stack,
    const char *name, struct merged **out, struct err *err)
{
	AUTO_FREE char *dir = store_temp_dir(store, err);
	struct merged_written written = {stack, dir};
	AUTO_FD int fd = -1;
	int own, r;

	if (!dir)
		return -err->code;
	fd = store_temp_filled(store, merged_size_max(stack), write_tree,
	    &written, err);
	if (fd < 0)
		return err_wrap(err, "cannot write a tree");
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	r = own < 0 ? err_sys(err, "cannot open a tree")
		    : merged_open(stack, own, out, err);
	if (r == 0)
		store_derived_put(store, fd, name, ERR_IGNORE);
	return r;
}

int merged_get(struct store *store, struct layer *const *layers,
    const struct merged_stack *stack, const struct merged *damaged,
    struct merged **out, struct err *err)
{
	AUTO_FREE char *name = NULL;
	AUTO_FD int lock = -1;
	struct err unlocked = ERR_INIT;
	int r = make_name(layers, stack, &name, err);

	if (r == 0)
		r = find(store, name, stack, damaged, out, err);
	if (r != 0)
		return r < 0 ? r : 0;
	lock = store_derived_lock(store, name, &unlocked);
	if (lock == -EINTR) {
		*err = unlocked;
		return lock;
	}
	/* Without a lock it may be made twice. */
	r = find(store, name, stack, damaged, out, err);
	if (r == 0)
		r = make(store, stack, name, out, err);
	return r < 0 ? r : 0;
}
