/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of layers that are written down in a line each. */
#ifndef TESTS_TREE_FIXTURE_H
#define TESTS_TREE_FIXTURE_H

#include "layer_fixture.h"

#include "layer/tree.h"

enum { PILE_MAX = 256, NAMES_MAX = 4096 };

/* Layers on top of each other, the lowest first. */
struct pile {
	struct world *world;
	struct remote *remotes[PILE_MAX];
	struct layer *layers[PILE_MAX];
	size_t count;
};

void layer_pile_release(struct pile *pile);

#define AUTO_PILE CLEANUP(layer_pile_release)
#define AUTO_TREE CLEANUP(tree_put_p)

void open_pile(struct pile *pile);

/* One more on top, from words with spaces between them. */
struct remote *add(struct pile *pile, const char *entries);

struct tree *tree_of(struct pile *pile);

int find(struct tree *tree, const char *path);

/* It is there, in that layer of the pile. */
void assert_in(struct pile *pile, struct tree *tree, const char *path,
    size_t layer, uint32_t links);

int list(struct tree *tree, const char *path, struct buf *names);

void assert_list(struct tree *tree, const char *path, const char *want);

#endif
