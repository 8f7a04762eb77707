/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_fixture.h"

void layer_pile_release(struct pile *pile)
{
	for (size_t i = 0; i < pile->count; i++)
		layer_put(pile->layers[i]);
}

/* "dir/", "link>target" a hard link, "link@target" a symbolic one, "file",
 * which holds its name. */
static void tar_word(struct tarball *tar, char *word)
{
	char *mark = strpbrk(word, ">@");
	char kind = mark ? *mark : '\0';
	size_t len = strlen(word);

	if (mark)
		*mark++ = '\0';
	if (kind)
		tar_link(tar, kind == '>' ? TAR_HARDLINK : TAR_SYMLINK, word,
		    mark);
	else if (word[len - 1] == '/')
		tar_dir(tar, word);
	else
		tar_put(tar, word, word, len);
}

void open_pile(struct pile *pile)
{
	for (size_t i = 0; i < pile->count; i++)
		pile->layers[i] =
		    open_layer(&pile->world->shelf, pile->remotes[i]);
}

struct remote *add(struct pile *pile, const char *entries)
{
	AUTO_TARBALL struct tarball tar = {.count = 0};
	AUTO_FREE char *text = strdup(entries);
	char *rest = text, *word;
	size_t i = pile->count++;

	while ((word = strsep(&rest, " ")))
		if (*word)
			tar_word(&tar, word);
	tar_end(&tar);
	pile->remotes[i] = add_remote(pile->world, PLAIN, &tar.bytes);
	pile->layers[i] = open_layer(&pile->world->shelf, pile->remotes[i]);
	return pile->remotes[i];
}

struct tree *tree_of(struct pile *pile)
{
	struct tree *tree;
	struct err err = ERR_INIT;

	assert_int_equal(tree_new(pile->world->shelf.store, pile->layers,
			     pile->count, &tree, &err),
	    0);
	return tree;
}

int find(struct tree *tree, const char *path)
{
	struct tree_item item;
	struct err err = ERR_INIT;
	int r = tree_find(tree, NULL, path, &item, &err);

	assert_true(r == 0 || r == -err.code);
	return r;
}

void assert_in(struct pile *pile, struct tree *tree, const char *path,
    size_t layer, uint32_t links)
{
	struct tree_item item;
	struct err err = ERR_INIT;

	if (tree_find(tree, NULL, path, &item, &err) < 0)
		fail_msg("%s: %s", path, err.msg);
	assert_ptr_equal(item.layer, pile->layers[layer]);
	assert_int_equal(item.links, links);
	assert_int_equal(entry_in(layer_index_known(item.layer), item.entry)
			     .link,
	    item.entry);
}

static int add_name(void *arg, const char *name, const struct tree_item *item,
    struct err *err)
{
	struct buf *names = arg;

	assert_non_null(layer_index_known(item->layer));
	return buf_addf(names, err, "%s%s", names->len ? " " : "", name);
}

int list(struct tree *tree, const char *path, struct buf *names)
{
	struct err err = ERR_INIT;

	*names = BUF_INIT(NAMES_MAX);
	return tree_list(tree, path, add_name, names, &err);
}

void assert_list(struct tree *tree, const char *path, const char *want)
{
	AUTO_BUF struct buf names;

	assert_int_equal(list(tree, path, &names), 0);
	assert_string_equal(buf_str(&names), want);
}
