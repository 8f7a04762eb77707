/* SPDX-License-Identifier: Apache-2.0 */
/* What layers do to those below them, name by name. */
#include "layer/changes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "stack.h"

enum { PATH_BYTES_MAX = 1 << 20, WHITEOUT_LEN = 4 };

/* What a layer does to all that lower layers have in a directory. */
enum cut { CUT_NOT, CUT_BY_WHITEOUT, CUT_HIDDEN };

/* A directory that is still to be looked at. */
struct pending {
	char *path;
	struct part *parts; /* layers that have it as a directory; the lowest
			     * first */
	size_t part_count;
	uint8_t *cuts; /* enum cut, by layer */
};

/* A name in a directory, as one layer has it. */
struct occurrence {
	const char *name;
	uint32_t layer;
	uint32_t entry; /* WHITEOUT */
};

#define WHITEOUT UINT32_MAX

struct occurrences {
	struct occurrence *list;
	size_t count;
	struct arena names;
};

struct changes_walk {
	const struct layer_index *const *layers;
	size_t count;
	layer_change_fn *each;
	void *arg;
	struct buf pending; /* struct pending each: the next one is the last */
};

static void pending_release(struct pending *dir)
{
	free(dir->path);
	free(dir->parts);
	free(dir->cuts);
}

static void walk_release(struct changes_walk *walk)
{
	struct pending *list = (struct pending *)(void *)walk->pending.data;

	for (size_t i = 0; i < walk->pending.len / sizeof(*list); i++)
		pending_release(&list[i]);
	buf_release(&walk->pending);
}

static void occurrences_release(struct occurrences *all)
{
	free(all->list);
	arena_release(&all->names);
}

static int by_name(const void *one, const void *two)
{
	const struct occurrence *a = one, *b = two;
	int order = strcmp(a->name, b->name);

	if (order)
		return order;
	if (a->layer != b->layer)
		return a->layer < b->layer ? -1 : 1;
	/* Of one layer the whiteout is for those below it. */
	return a->entry == WHITEOUT ? -1 : b->entry == WHITEOUT;
}

static int add_names(const struct changes_walk *walk, const struct part *part,
    struct occurrences *out, struct err *err)
{
	const struct layer_index *index = walk->layers[part->layer];
	struct layer_entry dir;
	struct occurrence *list;
	int r = layer_index_entry(index, part->entry, &dir, err);

	if (r < 0)
		return r;
	list = reallocarray(out->list, out->count + dir.child_count + 1,
	    sizeof(*list));
	if (!list)
		return err_nomem(err);
	out->list = list;
	for (uint32_t i = 0; i < dir.child_count; i++) {
		struct occurrence *next = &list[out->count];
		char name[LAYER_NAME_SIZE];
		bool is_whiteout;

		next->layer = part->layer;
		r = layer_index_child(index, &dir, i, &next->entry, name, err);
		if (r < 0)
			return r;
		is_whiteout = stack_is_whiteout(name);
		if (is_whiteout)
			next->entry = WHITEOUT;
		next->name = arena_strdup(&out->names,
		    name + (is_whiteout ? WHITEOUT_LEN : 0));
		if (!next->name)
			return err_nomem(err);
		/* What AUFS kept for itself is ".wh..wh.…". */
		out->count += !stack_is_whiteout(next->name);
	}
	return 0;
}

static uint64_t size_of(const struct layer_entry *entry, uint32_t number)
{
	return S_ISREG(entry->mode) && entry->link == number ? entry->size : 0;
}

/* One name, followed through the layers. */
struct following {
	struct changes_walk *walk;
	const char *path;
	const uint8_t *dir_cuts; /* of the directory it is in */
	struct pending child;    /* what it is as a directory */
	bool is_there;           /* in the layers so far: as what */
	struct layer_entry entry;
	uint64_t size;
};

static int tell(struct following *self, size_t layer,
    enum layer_change_kind kind, enum layer_removal removal,
    const struct layer_entry *after, uint64_t size, struct err *err)
{
	const struct layer_change change = {layer, kind, removal, self->path,
	    kind == LAYER_ADDS ? NULL : &self->entry, after,
	    kind == LAYER_ADDS ? 0 : self->size, size};

	return self->walk->each(self->walk->arg, &change, err);
}

/* The layer hides what those below it have. */
static int remove_it(struct following *self, size_t layer,
    enum layer_removal removal, struct err *err)
{
	if (!self->is_there)
		return 0;
	self->is_there = false;
	return tell(self, layer, LAYER_REMOVES, removal, NULL, 0, err);
}

static int put_it(struct following *self, size_t layer, uint32_t number,
    const struct layer_entry *entry, struct err *err)
{
	uint64_t size = size_of(entry, number);
	bool implied = entry->flags & LAYER_IMPLIED;
	struct part *parts = self->child.parts;
	int r = 0;

	if (!S_ISDIR(entry->mode))
		self->child.cuts[layer] = CUT_HIDDEN;
	else if (entry->flags & LAYER_OPAQUE && !self->child.cuts[layer])
		self->child.cuts[layer] = CUT_HIDDEN;
	if (S_ISDIR(entry->mode))
		parts[self->child.part_count++] =
		    (struct part){(uint32_t)layer, number};
	if (!self->is_there || !implied)
		r = tell(self, layer,
		    self->is_there ? LAYER_CHANGES : LAYER_ADDS, REMOVED_ITSELF,
		    entry, size, err);
	if (!self->is_there || !implied)
		self->entry = *entry;
	self->is_there = true;
	self->size = size;
	return r;
}

/* What a layer has of the name: up to two occurrences, the whiteout first. */
static int follow_layer(struct following *self, size_t layer,
    const struct occurrence *list, size_t count, struct err *err)
{
	const struct layer_index *index = self->walk->layers[layer];
	const struct occurrence *last = count ? &list[count - 1] : NULL;
	bool whited_out = count && list->entry == WHITEOUT;
	struct layer_entry entry;
	int r = 0;

	if (whited_out)
		self->child.cuts[layer] = CUT_BY_WHITEOUT;
	if (last && last->entry != WHITEOUT) {
		r = layer_index_entry(index, last->entry, &entry, err);
		if (r < 0)
			return r;
		if (S_ISCHR(entry.mode) && entry.data == 0)
			whited_out = true; /* as overlayfs has it */
		else
			return put_it(self, layer, last->entry, &entry, err);
		self->child.cuts[layer] = CUT_BY_WHITEOUT;
	}
	if (whited_out)
		return remove_it(self, layer, REMOVED_ITSELF, err);
	if (self->dir_cuts[layer])
		return remove_it(self, layer,
		    self->dir_cuts[layer] == CUT_BY_WHITEOUT
			? REMOVED_WITH_DIRECTORY
			: REMOVED_HIDDEN,
		    err);
	return 0;
}

/* A name of which a layer has something, hidden from above at dir_cuts. */
static int follow_name(struct following *self, const struct occurrence *list,
    size_t count, struct err *err)
{
	struct changes_walk *walk = self->walk;
	struct pending *child = &self->child;
	size_t at = 0;
	int r = 0;

	child->cuts = malloc(walk->count);
	child->parts = calloc(count, sizeof(*child->parts));
	if (!child->cuts || !child->parts)
		return err_nomem(err);
	memcpy(child->cuts, self->dir_cuts, walk->count);
	for (size_t layer = 0; layer < walk->count && r == 0; layer++) {
		size_t end = at;

		while (end < count && list[end].layer == layer)
			end++;
		r = follow_layer(self, layer, list + at, end - at, err);
		at = end;
	}
	if (r < 0 || !child->part_count)
		return r;
	r = buf_add(&walk->pending, child, sizeof(*child), err);
	if (r == 0)
		*child = (struct pending){0};
	return r;
}

static int follow(struct changes_walk *walk, const struct pending *dir,
    const struct occurrence *list, size_t count, struct err *err)
{
	struct following self = {.walk = walk, .dir_cuts = dir->cuts};
	AUTO_BUF struct buf path = BUF_INIT(PATH_BYTES_MAX);
	int r = buf_addf(&path, err, "%s%s%s", dir->path, *dir->path ? "/" : "",
	    list->name);

	if (r < 0)
		return r;
	self.child.path = buf_steal(&path);
	self.path = self.child.path;
	r = self.path ? follow_name(&self, list, count, err) : err_nomem(err);
	pending_release(&self.child);
	return r;
}

static struct pending *pending_at(struct changes_walk *walk, size_t i)
{
	return (struct pending *)(void *)walk->pending.data + i;
}

static size_t pending_count(const struct changes_walk *walk)
{
	return walk->pending.len / sizeof(struct pending);
}

/* So that the first directory of them is the next one. */
static void reverse_pending(struct changes_walk *walk, size_t first)
{
	size_t last = pending_count(walk);

	while (first + 1 < last) {
		struct pending *one = pending_at(walk, first++);
		struct pending *other = pending_at(walk, --last);
		struct pending kept = *one;

		*one = *other;
		*other = kept;
	}
}

static int walk_dir(struct changes_walk *walk, const struct pending *dir,
    struct err *err)
{
	CLEANUP(occurrences_release) struct occurrences all = {0};
	size_t first = pending_count(walk), next;
	int r = 0;

	for (size_t i = 0; i < dir->part_count && r == 0; i++)
		r = add_names(walk, &dir->parts[i], &all, err);
	if (r < 0)
		return r;
	if (all.count)
		qsort(all.list, all.count, sizeof(*all.list), by_name);
	for (size_t i = 0; i < all.count && r == 0; i = next) {
		next = i + 1;
		while (next < all.count &&
		       !strcmp(all.list[next].name, all.list[i].name))
			next++;
		r = follow(walk, dir, all.list + i, next - i, err);
	}
	reverse_pending(walk, first);
	return r;
}

static int walk_next(struct changes_walk *walk, struct err *err)
{
	CLEANUP(pending_release)
	struct pending dir = *pending_at(walk, pending_count(walk) - 1);

	walk->pending.len -= sizeof(dir);
	return walk_dir(walk, &dir, err);
}

static int begin_at_root(struct changes_walk *walk, struct err *err)
{
	struct pending root = {strdup(""),
	    calloc(walk->count + 1, sizeof(*root.parts)), 0,
	    calloc(walk->count + 1, 1)};
	int r = root.path && root.parts && root.cuts ? 0 : err_nomem(err);

	for (size_t i = 0; i < walk->count && r == 0; i++) {
		struct layer_entry entry;

		r = layer_index_entry(walk->layers[i], LAYER_ROOT, &entry, err);
		if (r == 0 && entry.flags & LAYER_OPAQUE)
			root.cuts[i] = CUT_HIDDEN;
		root.parts[root.part_count++] =
		    (struct part){(uint32_t)i, LAYER_ROOT};
	}
	if (r == 0)
		r = buf_add(&walk->pending, &root, sizeof(root), err);
	if (r < 0)
		pending_release(&root);
	return r;
}

int layer_changes(const struct layer_index *const *layers, size_t count,
    layer_change_fn *each, void *arg, struct err *err)
{
	CLEANUP(walk_release)
	struct changes_walk walk = {layers, count, each, arg,
	    BUF_INIT(SIZE_MAX / 2)};
	int r = begin_at_root(&walk, err);

	while (r == 0 && pending_count(&walk) > 0)
		r = walk_next(&walk, err);
	return r;
}
