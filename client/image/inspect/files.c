/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a root file system as a table. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/strf.h"
#include "image/inspect.h"
#include "image/trees.h"

enum { ROW_MAX = 1 << 16 };

/* A name that has no row yet. */
struct pending_name {
	char *path;
	struct tree_item item;
};

struct files_walk {
	struct image *image;
	struct tree *tree;
	struct layer **layers; /* as many as the image has */
	struct sink *out;
	struct buf names; /* struct pending_name each: the next is the last */
	const char *dir;  /* the path of the one that is listed */
};

static void walk_release(struct files_walk *walk)
{
	struct pending_name *list = (void *)walk->names.data;

	for (size_t i = 0; i < walk->names.len / sizeof(*list); i++)
		free(list[i].path);
	buf_release(&walk->names);
	for (size_t i = 0; walk->layers && walk->layers[i]; i++)
		layer_put(walk->layers[i]);
	free(walk->layers);
	tree_put(walk->tree);
}

static int begin(struct files_walk *walk, struct err *err)
{
	size_t count = walk->image->manifest->entry_count;
	int r = image_tree(walk->image, &walk->tree, err);

	walk->layers = calloc(count + 1, sizeof(*walk->layers));
	if (!walk->layers)
		return err_nomem(err);
	for (size_t i = 0; i < count && r == 0; i++)
		r = image_layer(walk->image, i, &walk->layers[i], err);
	return r;
}

/* The same layer can be in an image twice: its upper place counts. */
static size_t number_of(const struct files_walk *walk,
    const struct layer *layer)
{
	size_t number = walk->image->manifest->entry_count;

	while (number > 0 && walk->layers[number - 1] != layer)
		number--;
	return number;
}

static char type_of(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	case S_IFIFO:
		return 'p';
	case S_IFSOCK:
		return 's';
	default:
		return 'f';
	}
}

static int print_row(struct files_walk *walk, const char *path,
    const struct tree_item *item, struct err *err)
{
	AUTO_BUF struct buf row = BUF_INIT(ROW_MAX);
	struct layer_entry entry;
	int r = layer_entry(item->layer, item->entry, &entry, err);

	if (r == 0)
		r = buf_addstr(&row, "/", err);
	if (r == 0)
		r = escape_visible(&row, path, err);
	if (r == 0)
		r = buf_addf(&row, err, "\t%c\t%" PRIu64 "\t%zu\n",
		    type_of(item->mode),
		    S_ISREG(item->mode) ? entry.size : UINT64_C(0),
		    number_of(walk, item->layer));
	return r < 0 ? r : sink_write(walk->out, row.data, row.len, err);
}

static int add_name(void *arg, const char *name, const struct tree_item *item,
    struct err *err)
{
	struct files_walk *walk = arg;
	struct pending_name next = {strf("%s%s%s", walk->dir,
					*walk->dir ? "/" : "", name),
	    *item};
	int r = next.path ? buf_add(&walk->names, &next, sizeof(next), err)
			  : err_nomem(err);

	if (r < 0)
		free(next.path);
	return r;
}

/* The last one is the next. */
static int in_reverse(const void *one, const void *two)
{
	const struct pending_name *a = one, *b = two;

	return strcmp(b->path, a->path);
}

static int add_names(struct files_walk *walk, const char *dir, struct err *err)
{
	size_t before = walk->names.len;
	int r;

	walk->dir = dir;
	r = tree_list(walk->tree, dir, add_name, walk, err);
	if (walk->names.len > before)
		qsort(walk->names.data + before,
		    (walk->names.len - before) / sizeof(struct pending_name),
		    sizeof(struct pending_name), in_reverse);
	return r;
}

static int print_next(struct files_walk *walk, struct err *err)
{
	AUTO_FREE char *path = NULL;
	struct pending_name next;
	int r;

	walk->names.len -= sizeof(next);
	memcpy(&next, walk->names.data + walk->names.len, sizeof(next));
	path = next.path;
	r = print_row(walk, path, &next.item, err);
	if (r == 0 && S_ISDIR(next.item.mode))
		r = add_names(walk, path, err);
	return r;
}

int inspect_files(struct image *image, struct sink *out, struct err *err)
{
	static const char head[] = "path\ttype\tsize\tlayer\n";
	CLEANUP(walk_release)
	struct files_walk walk = {.image = image,
	    .out = out,
	    .names = BUF_INIT(SIZE_MAX / 2)};
	int r = begin(&walk, err);

	if (r == 0)
		r = sink_write(out, head, sizeof(head) - 1, err);
	if (r == 0 && !tree_is_empty(walk.tree))
		r = add_names(&walk, "", err);
	while (r == 0 && walk.names.len > 0)
		r = print_next(&walk, err);
	return r;
}
