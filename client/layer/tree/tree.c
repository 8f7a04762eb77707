/* SPDX-License-Identifier: Apache-2.0 */
/* Trees: what a path means in them. */
#include "layer/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "state.h"

static int new_tree(struct layer *const *layers, size_t count,
    struct tree **out, struct err *err)
{
	CLEANUP(tree_put_p) struct tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return err_nomem(err);
	atomic_init(&tree->refs, 1);
	pthread_mutex_init(&tree->lock, NULL);
	tree->layers = calloc(count + 1, sizeof(*tree->layers));
	tree->indexes = calloc(count + 1, sizeof(*tree->indexes));
	if (!tree->layers || !tree->indexes)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++)
		tree->layers[tree->count++] = layer_get(layers[i]);
	*out = steal(&tree);
	return 0;
}

int tree_new(struct store *store, struct layer *const *layers, size_t count,
    struct tree **out, struct err *err)
{
	int r = new_tree(layers, count, out, err);

	if (r == 0)
		(*out)->store = store;
	return r;
}

int tree_new_layer(struct layer *layer, struct tree **out, struct err *err)
{
	int r = new_tree(&layer, 1, out, err);

	if (r == 0)
		(*out)->alone = true;
	return r;
}

struct tree *tree_get(struct tree *tree)
{
	atomic_fetch_add(&tree->refs, 1);
	return tree;
}

void tree_put(struct tree *tree)
{
	if (!tree || atomic_fetch_sub(&tree->refs, 1) > 1)
		return;
	if (tree->merged)
		merged_close(tree->merged);
	for (size_t i = 0; i < tree->count; i++)
		layer_put(tree->layers[i]);
	pthread_mutex_destroy(&tree->lock);
	free(tree->layers);
	free(tree->indexes);
	free(tree);
}

struct tree_item tree_item(struct tree *tree, const struct part *part,
    const struct layer_entry *entry, uint32_t links)
{
	return (struct tree_item){.layer = tree->layers[part->layer],
	    .entry = part->entry,
	    .links = links,
	    .own_links = entry->links,
	    .mode = entry->mode,
	    .hides_xattrs = !tree->alone && entry->flags & LAYER_HAS_HIDDEN};
}

int tree_no_such_name(const char *path, struct err *err)
{
	return err_set(err, ENOENT, "%s: no such name", path);
}

static int leads_nowhere(struct tree *tree, const struct merged_node *node,
    const struct layer_entry *entry, const char *path, struct err *err)
{
	AUTO_FREE char *target = NULL;
	char text[DIGEST_TEXT_SIZE];
	int r =
	    layer_index_target(tree->indexes[node->layer], entry, &target, err);

	if (r < 0)
		return r;
	return err_set(err, EIO,
	    "layer %s: %s is a hard link to %s, which does not exist",
	    digest_format(layer_digest(tree->layers[node->layer]), text), path,
	    target);
}

int tree_item_merged(struct tree *tree, const struct merged_node *node,
    uint32_t number, struct tree_item *out, struct layer_entry *entry,
    struct err *err)
{
	const struct part part = {node->layer, node->entry};
	int r = layer_index_entry(tree->indexes[part.layer], part.entry, entry,
	    err);

	if (r < 0)
		return r;
	*out = tree_item(tree, &part, entry, node->links);
	out->place = number + 1;
	return 0;
}

/* Whether a directory is known by its place: then its node is there. */
static bool find_place(struct tree *tree, const struct merged *merged,
    const struct tree_item *in, struct merged_node *out)
{
	const struct merged_stack stack = tree_stack(tree);

	/* Another tree may have been made in place of a damaged one. */
	return in && in->place > 0 &&
	       merged_node(merged, &stack, in->place - 1, out, NULL,
		   ERR_IGNORE) == 0 &&
	       tree->layers[out->layer] == in->layer && out->entry == in->entry;
}

static int find_node(struct tree *tree, const struct tree_item *in,
    const char *path, struct merged_node *out, uint32_t *number,
    struct err *err)
{
	const struct merged *merged = tree->merged;
	const struct merged_stack stack = tree_stack(tree);
	const char *slash = strrchr(path, '/');

	if (slash && find_place(tree, merged, in, out))
		return merged_find_child(merged, &stack, slash + 1,
		    strlen(slash + 1), out, number, err);
	return merged_find(merged, &stack, path, out, number, err);
}

static int find_merged(struct tree *tree, const struct tree_item *in,
    const char *path, struct tree_item *out, struct err *err)
{
	struct merged_node node;
	struct layer_entry entry;
	uint32_t number;
	int r = find_node(tree, in, path, &node, &number, err);

	if (r <= 0)
		return r < 0 ? r : tree_no_such_name(path, err);
	r = tree_item_merged(tree, &node, number, out, &entry, err);
	if (r == 0 && entry.flags & LAYER_DANGLING)
		return leads_nowhere(tree, &node, &entry, path, err);
	return r;
}

int tree_find_alone(const struct layer_index *index, const char *path,
    uint32_t *out, struct err *err)
{
	const char *rest = path;

	*out = LAYER_ROOT;
	while (*rest) {
		size_t len = strcspn(rest, "/");
		int r = layer_index_find(index, *out, rest, len, out, err);

		if (r <= 0)
			return r < 0 ? r : tree_no_such_name(path, err);
		rest += len;
		rest += *rest == '/';
	}
	return 0;
}

int tree_item_alone(struct tree *tree, const struct layer_index *index,
    uint32_t number, struct tree_item *out, struct err *err)
{
	struct part part = {0, number};
	struct layer_entry entry;
	int r = layer_index_entry(index, number, &entry, err);

	if (r == 0 && entry.link != number) {
		part.entry = entry.link;
		r = layer_index_entry(index, part.entry, &entry, err);
	}
	if (r == 0)
		*out = tree_item(tree, &part, &entry, entry.links);
	return r;
}

/* Whether layers above the lowest known one settle how many names a file has:
 * one that is linked may be hidden, or linked to, elsewhere. */
static bool links_settled(const struct tree *tree,
    const struct layer_index *const *indexes, size_t lowest,
    const struct layer_entry *entry)
{
	for (size_t i = lowest; i < tree->count; i++) {
		if (layer_index_facts(indexes[i])->has_dangling)
			return false;
	}
	return entry->links == 1;
}

int tree_settled_item(struct tree *tree,
    const struct layer_index *const *indexes, size_t lowest,
    const struct meaning *meaning, struct tree_item *out, struct err *err)
{
	struct layer_entry entry;
	struct part part;
	int r = meaning_attributes(indexes, meaning, &part, &entry, err);

	if (r < 0)
		return r;
	/* How many directories are in one nobody knows yet. */
	*out = tree_item(tree, &part, &entry, 1);
	if (meaning->is_dir)
		return !(meaning->open && entry.flags & LAYER_IMPLIED);
	return entry.link == part.entry &&
	       links_settled(tree, indexes, lowest, &entry);
}

static int find_settled(const struct question *question, struct tree *tree,
    const struct layer_index *const *indexes, size_t lowest, struct err *err)
{
	CLEANUP(meaning_release) struct meaning meaning = {0};
	int r = stack_find(indexes, lowest, tree->count, question->path,
	    &meaning, err);

	if (r < 0)
		return r;
	if (meaning.count == 0)
		return meaning.open ? 0
				    : tree_no_such_name(question->path, err);
	return tree_settled_item(tree, indexes, lowest, &meaning, question->out,
	    err);
}

static int find_alone(struct tree *tree, const struct layer_index *index,
    const char *path, struct tree_item *out, struct err *err)
{
	uint32_t entry;
	int r = tree_find_alone(index, path, &entry, err);

	return r < 0 ? r : tree_item_alone(tree, index, entry, out, err);
}

static int find(struct tree *tree, const struct tree_item *in, const char *path,
    struct tree_item *out, struct err *err)
{
	const struct question question = {find_settled, true, path, out};
	AUTO_FREE const struct layer_index **indexes = NULL;
	int r;

	if (tree->count == 0)
		return tree_no_such_name(path, err);
	if (tree->merged)
		return find_merged(tree, in, path, out, err);
	indexes = tree_indexes(tree);
	if (!indexes)
		return err_nomem(err);
	r = tree_ask(tree, indexes, &question, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return tree->alone ? find_alone(tree, indexes[0], path, out, err)
			   : find_merged(tree, in, path, out, err);
}

int tree_find(struct tree *tree, const struct tree_item *in, const char *path,
    struct tree_item *out, struct err *err)
{
	size_t tries = 0;
	int r;

	do
		r = find(tree, in, path, out, err);
	while (tree_mended(tree, &r, &tries, err));
	return r;
}

/* Whether it was found; what cannot be found out now is not known. */
static int is_known(int r)
{
	if (r < 0)
		return r == -EUCLEAN ? r : 0;
	return 1;
}

int tree_known(struct tree *tree, const char *path, struct tree_item *out,
    struct err *err)
{
	const struct question question = {find_settled, true, path, out};
	AUTO_FREE const struct layer_index **indexes = NULL;
	size_t lowest;
	int r;

	if (tree->count == 0)
		return 0;
	if (tree->merged)
		return is_known(find_merged(tree, NULL, path, out, err));
	indexes = tree_indexes(tree);
	if (!indexes)
		return 0;
	lowest = tree_known_from(tree, indexes, tree->count);
	if (lowest == tree->count)
		return 0;
	if (tree->alone)
		return is_known(find_alone(tree, indexes[0], path, out, err));
	r = find_settled(&question, tree, indexes, lowest, err);
	return r == 0 ? 0 : is_known(r);
}

bool tree_is_empty(const struct tree *tree)
{
	return tree->count == 0;
}

bool tree_is_settled(const struct tree *tree)
{
	return tree->alone ? layer_index_known(tree->layers[0]) != NULL
			   : tree->merged != NULL;
}

void tree_prefetch(struct tree *tree)
{
	for (size_t i = tree->count; i-- > 0;)
		layer_prefetch(tree->layers[i]);
}
