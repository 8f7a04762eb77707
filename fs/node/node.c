/* SPDX-License-Identifier: Apache-2.0 */
/* The table of nodes. */
#include "node.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "mount.h"
#include "node_table.h"
#include "place.h"
#include "view.h"

enum { BUCKETS_FIRST = 1024 };

struct node_table *node_table_new(struct err *err)
{
	struct node_table *table = calloc(1, sizeof(*table));

	if (table)
		table->buckets = calloc(BUCKETS_FIRST, sizeof(*table->buckets));
	if (!table || !table->buckets) {
		free(table);
		err_nomem(err);
		return NULL;
	}
	table->bucket_count = BUCKETS_FIRST;
	pthread_mutex_init(&table->lock, NULL);
	return table;
}

static void node_free(struct node *node)
{
	free(node->key);
	free(node->name);
	node->view->free(node);
}

int node_made(struct node *node, struct node **out, struct err *err)
{
	if (!node->key) {
		node_free(node);
		return err_nomem(err);
	}
	*out = node;
	return 0;
}

void node_discard(struct node *node)
{
	if (node)
		node_free(node);
}

static struct node **bucket(struct node_table *table, uint64_t ino)
{
	return &table->buckets[ino & (table->bucket_count - 1)];
}

static struct node *find(struct node_table *table, uint64_t ino)
{
	struct node *node = *bucket(table, ino);

	while (node && node->ino != ino)
		node = node->next;
	return node;
}

static void grow(struct node_table *table)
{
	size_t old_count = table->bucket_count;
	struct node **old = table->buckets;
	struct node **buckets = calloc(old_count * 2, sizeof(*buckets));

	if (!buckets)
		return; /* longer chains */
	table->buckets = buckets;
	table->bucket_count = old_count * 2;
	for (size_t i = 0; i < old_count; i++) {
		while (old[i]) {
			struct node *node = old[i];
			struct node **to = bucket(table, node->ino);

			old[i] = node->next;
			node->next = *to;
			*to = node;
		}
	}
	free(old);
}

static void insert(struct node_table *table, struct node *node)
{
	struct node **to = bucket(table, node->ino);

	node->next = *to;
	*to = node;
	if (++table->count > table->bucket_count)
		grow(table);
}

static struct node *find_rekeyed(struct node_table *table, const char *key)
{
	struct node *node = table->rekeyed;

	while (node && strcmp(node->key, key) != 0)
		node = node->next_rekeyed;
	return node;
}

static void forget_rekeyed(struct node_table *table, struct node *node)
{
	struct node **at = &table->rekeyed;

	while (*at != node)
		at = &(*at)->next_rekeyed;
	*at = node->next_rekeyed;
}

/* It is called what the other one is, which has its name in exchange. */
static void take_name(struct node *node, struct node *other)
{
	char *before = node->name;

	if (strcmp(before, other->name) == 0)
		return;
	node->name = other->name;
	other->name = before;
}

/* A node was found where another one of its key was to be added: it is in the
 * directory by which it was found last. What that one has as its parent then is
 * to be put without the lock. */
static struct node *found(struct node *there, struct node *other)
{
	struct node *before = there->parent;

	there->holds++;
	if (other->parent == before) {
		other->parent = NULL;
		if (before)
			take_name(there, other);
		return there;
	}
	there->parent = other->parent;
	there->parent->holds++;
	other->parent = before;
	take_name(there, other);
	return there;
}

static struct node *add_at(struct node_table *table, struct node *node,
    uint64_t ino)
{
	struct node *there;

	SCOPED_LOCK(&table->lock);
	there = find_rekeyed(table, node->key);
	if (there)
		return found(there, node);
	/* Two keys with one hash: the next number is free, or the key's. */
	while ((there = find(table, ino)) && strcmp(there->key, node->key))
		ino++;
	if (there)
		return found(there, node);
	node->ino = ino;
	node->holds = 1;
	node->lookups = 0;
	if (node->parent)
		node->parent->holds++;
	insert(table, node);
	return node;
}

static struct node *add(struct node_table *table, struct node *node,
    uint64_t ino, struct err *err)
{
	struct node *added;

	if (!node->key || (node->parent && !node->name)) {
		node_free(node);
		err_nomem(err);
		return NULL;
	}
	added = add_at(table, node, ino);
	if (added != node) {
		struct node *parent = node->parent;

		node_free(node);
		node_put(parent);
	}
	return added;
}

struct node *node_add(struct node_table *table, struct node *node,
    struct err *err)
{
	return add(table, node,
	    node->key ? node_number(node->kind, node->key) : 0, err);
}

struct node_names node_move(struct node *node, struct node *parent,
    struct node_names names)
{
	struct node_table *table = node->mount->nodes;
	CLEANUP(node_put_p) struct node *parent_before = NULL;
	struct node_names before = {node->key, node->name};

	SCOPED_LOCK(&table->lock);
	if (!node->rekeyed) {
		node->next_rekeyed = table->rekeyed;
		table->rekeyed = node;
	}
	node->rekeyed = true;
	node->key = names.key;
	node->name = names.name;
	parent_before = node->parent;
	node->parent = parent;
	parent->holds++;
	return before;
}

struct node *node_parent(const struct node *node)
{
	SCOPED_LOCK(&node->mount->nodes->lock);
	if (node->parent)
		node->parent->holds++;
	return node->parent;
}

struct node *node_parent_and_name(const struct node *node, char **name)
{
	SCOPED_LOCK(&node->mount->nodes->lock);
	*name = node->parent ? strdup(node->name) : NULL;
	if (node->parent)
		node->parent->holds++;
	return node->parent;
}

bool node_is_in(const struct node *node, const struct node *dir)
{
	SCOPED_LOCK(&node->mount->nodes->lock);
	return node->parent == dir;
}

bool node_is_below(const struct node *node, const struct node *dir)
{
	SCOPED_LOCK(&node->mount->nodes->lock);
	do
		node = node->parent;
	while (node && node != dir);
	return node != NULL;
}

unsigned node_nesting(const struct node *node, enum node_kind kind)
{
	unsigned count = 0;

	SCOPED_LOCK(&node->mount->nodes->lock);
	for (; node; node = node->parent)
		count += node->kind == kind;
	return count;
}

struct node *node_add_root(struct node_table *table, struct node *node,
    struct err *err)
{
	return add(table, node, NODE_ROOT, err);
}

struct node *node_find(struct node_table *table, uint64_t ino)
{
	struct node *node;

	if (node_is_located(ino))
		return place_find(table, ino);
	SCOPED_LOCK(&table->lock);
	node = find(table, ino);
	if (node)
		node->holds++;
	return node;
}

struct node *node_hold(struct node *node)
{
	SCOPED_LOCK(&node->mount->nodes->lock);
	node->holds++;
	return node;
}

static void take_out(struct node_table *table, struct node *node)
{
	struct node **at = bucket(table, node->ino);

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	table->count--;
	if (node->rekeyed)
		forget_rekeyed(table, node);
}

/* Takes the node out when nobody knows it any more: it is then the caller's to
 * free. */
static bool unlink_if_unused(struct node_table *table, struct node *node)
{
	if (node->holds || node->lookups)
		return false;
	take_out(table, node);
	return true;
}

/* Whether the node is to be freed, and its place with it. */
static bool drop_hold(struct node *node, struct place **place)
{
	struct node_table *table = node->mount->nodes;

	SCOPED_LOCK(&table->lock);
	assert(node->holds > 0);
	if (node->place) {
		if (!place_drop(node))
			return false;
		*place = place_unused(table, node->place);
		return true;
	}
	node->holds--;
	return unlink_if_unused(table, node);
}

void node_put(struct node *node)
{
	while (node) {
		struct node *parent = NULL;
		struct place *place = NULL;

		if (drop_hold(node, &place)) {
			parent = node->parent;
			node_free(node);
		}
		place_free(place);
		node = parent;
	}
}

void node_looked_up(struct node *node)
{
	SCOPED_LOCK(&node->mount->nodes->lock);
	if (node->place)
		place_looked_up(node);
	else
		node->lookups++;
}

static struct node *drop_lookups(struct node_table *table, uint64_t ino,
    uint64_t n)
{
	struct node *node;

	SCOPED_LOCK(&table->lock);
	node = find(table, ino);
	if (!node || ino == NODE_ROOT)
		return NULL;
	node->lookups -= n < node->lookups ? n : node->lookups;
	return unlink_if_unused(table, node) ? node : NULL;
}

static void forget_located(struct node_table *table, uint64_t ino, uint64_t n)
{
	struct place *place;

	pthread_mutex_lock(&table->lock);
	place = place_forget(table, ino, n);
	pthread_mutex_unlock(&table->lock);
	place_free(place);
}

void node_forget(struct node_table *table, uint64_t ino, uint64_t n)
{
	struct node *node;

	if (node_is_located(ino)) {
		forget_located(table, ino, n);
		return;
	}
	node = drop_lookups(table, ino, n);
	if (node) {
		struct node *parent = node->parent;

		node_free(node);
		node_put(parent);
	}
}

/* A node of the bucket that nobody holds, or (any) the first one. */
static struct node *next_to_free(struct node_table *table, size_t number,
    bool any)
{
	struct node *node = table->buckets[number];

	while (node && node->holds > 0 && !any)
		node = node->next;
	return node;
}

/* The kernel has forgotten all of them. Where one goes, it lets go of the one
 * that it is in. */
static void free_nodes(struct node_table *table, bool any)
{
	for (size_t i = 0; i < table->bucket_count; i++) {
		struct node *node;

		while ((node = next_to_free(table, i, any))) {
			struct node *parent = any ? NULL : node->parent;

			take_out(table, node);
			node_free(node);
			node_put(parent);
		}
	}
}

void node_table_free(struct node_table *table)
{
	for (size_t i = 0; i < table->bucket_count; i++)
		for (struct node *at = table->buckets[i]; at; at = at->next)
			at->lookups = 0;
	free_nodes(table, false);
	free_nodes(table, true);
	places_free(table);
	pthread_mutex_destroy(&table->lock);
	free(table->buckets);
	free(table);
}
