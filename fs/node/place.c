/* SPDX-License-Identifier: Apache-2.0 */
/* Files of layers that are located by their number. */
#include "place.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/lock.h"
#include "layer_file.h"
#include "mount.h"
#include "node_table.h"
#include "nodes.h"

enum { ENTRY_BITS = 24 };

static const uint64_t ENTRY_MASK = (1 << ENTRY_BITS) - 1;
static const uint64_t PLACE_MAX = (UINT64_C(1) << (63 - ENTRY_BITS)) - 1;

_Static_assert(LAYER_ENTRIES_MAX <= 1 << ENTRY_BITS, "an entry has a number");

struct place {
	struct mount_source *source;
	struct layer *layer; /* held; its index is there */
	uint64_t number;
	atomic_uint_least64_t tree; /* as in struct layer_file */
	/* Under the table's lock. */
	uint64_t lookups; /* the kernel's, of all its files */
	uint64_t nodes;   /* that there are right now */
	struct place *next;
};

static struct place **bucket(struct node_table *table, uint64_t number)
{
	return &table->places[number & (PLACE_BUCKETS - 1)];
}

/* Never 0: the numbers of the root and of nothing are below all places. */
static uint64_t first_number(const struct layer *layer)
{
	uint64_t number =
	    node_number(NODE_LAYER_FILE, layer_key(layer)) & PLACE_MAX;

	return number ? number : 1;
}

/* The place of that number. Under the table's lock. */
static struct place *at_number(struct node_table *table, uint64_t number)
{
	struct place *place = *bucket(table, number);

	while (place && place->number != number)
		place = place->next;
	return place;
}

/* The layer's place, or NULL and the number that it would have. Under the
 * table's lock. */
static struct place *of_layer(struct node_table *table,
    const struct layer *layer, uint64_t *number)
{
	struct place *place;

	*number = first_number(layer);
	/* Two layers with one hash: the next number is free, or its. */
	while ((place = at_number(table, *number)) && place->layer != layer)
		*number = *number < PLACE_MAX ? *number + 1 : 1;
	return place;
}

/* Counts one more node of the layer, whose place is made if there is none.
 * Under the table's lock. */
static struct place *enter(struct node_table *table,
    struct mount_source *source, struct layer *layer)
{
	uint64_t number;
	struct place *place = of_layer(table, layer, &number);

	if (!place) {
		struct place **at = bucket(table, number);

		place = calloc(1, sizeof(*place));
		if (!place)
			return NULL;
		place->source = source;
		place->layer = layer_get(layer);
		place->number = number;
		place->next = *at;
		*at = place;
	}
	place->nodes++;
	return place;
}

/* The node of an entry, of which the place knows already. */
static struct node *make_node(struct node_table *table, struct place *place,
    uint32_t entry)
{
	struct node *node =
	    layer_file_new(place->source, place->layer, entry, NULL);

	if (node) {
		node->ino = place->number << ENTRY_BITS | entry;
		node->holds = 1;
		node->place = place;
		to_layer_file(node)->tree = atomic_load(&place->tree);
		return node;
	}
	pthread_mutex_lock(&table->lock);
	place->nodes--;
	place = place_unused(table, place);
	pthread_mutex_unlock(&table->lock);
	place_free(place);
	return NULL;
}

struct node *place_node(struct mount_source *source, struct layer *layer,
    uint32_t entry)
{
	struct node_table *table = source->mount->nodes;
	struct place *place;

	pthread_mutex_lock(&table->lock);
	place = enter(table, source, layer);
	pthread_mutex_unlock(&table->lock);
	return place ? make_node(table, place, entry) : NULL;
}

void place_found_in(struct node *node, const struct node *root)
{
	atomic_store(&node->place->tree, root->ino);
	atomic_store(&to_layer_file(node)->tree, root->ino);
}

uint64_t place_number(struct mount *mount, struct layer *layer, uint32_t entry)
{
	uint64_t number;

	SCOPED_LOCK(&mount->nodes->lock);
	of_layer(mount->nodes, layer, &number);
	return number << ENTRY_BITS | entry;
}

/* A number that nobody was given has no entry. */
static bool has_entry(const struct place *place, uint64_t entry)
{
	return entry < layer_index_count(layer_index_known(place->layer));
}

struct node *place_find(struct node_table *table, uint64_t ino)
{
	struct place *place;

	pthread_mutex_lock(&table->lock);
	place = at_number(table, ino >> ENTRY_BITS);
	if (place && !has_entry(place, ino & ENTRY_MASK))
		place = NULL;
	if (place)
		place->nodes++;
	pthread_mutex_unlock(&table->lock);
	return place ? make_node(table, place, (uint32_t)(ino & ENTRY_MASK))
		     : NULL;
}

bool place_drop(struct node *node)
{
	if (--node->holds > 0)
		return false;
	node->place->nodes--;
	return true;
}

void place_looked_up(struct node *node)
{
	node->place->lookups++;
}

struct place *place_unused(struct node_table *table, struct place *place)
{
	struct place **at = bucket(table, place->number);

	if (place->lookups > 0 || place->nodes > 0)
		return NULL;
	while (*at != place)
		at = &(*at)->next;
	*at = place->next;
	return place;
}

struct place *place_forget(struct node_table *table, uint64_t ino, uint64_t n)
{
	struct place *place = at_number(table, ino >> ENTRY_BITS);

	if (!place)
		return NULL;
	place->lookups -= n < place->lookups ? n : place->lookups;
	return place_unused(table, place);
}

void place_free(struct place *place)
{
	if (!place)
		return;
	layer_put(place->layer);
	free(place);
}

void places_free(struct node_table *table)
{
	for (size_t i = 0; i < PLACE_BUCKETS; i++) {
		while (table->places[i]) {
			struct place *place = table->places[i];

			table->places[i] = place->next;
			place_free(place);
		}
	}
}
