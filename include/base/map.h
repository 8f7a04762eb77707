/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map from strings to pointers. It copies the keys and does not own the
 * values. Not locked: its owner says under which lock.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_slot {
	char *key; /* NULL where free */
	uint64_t hash;
	void *value;
};

struct map {
	struct map_slot *slots;
	size_t cap; /* a power of two, or 0 */
	size_t count;
};

/* clang-format off */
#define MAP_INIT {NULL, 0, 0}
/* clang-format on */

/* The value, or NULL. */
void *map_get(const struct map *map, const char *key);

/* Sets or replaces; value is not NULL. 0 or -ENOMEM. */
int map_put(struct map *map, const char *key, void *value);

/* Takes the key out. Its value, or NULL. */
void *map_del(struct map *map, const char *key);

/* What it tells keys apart by, for tables of another form: a hash that differs
 * from process to process. */
uint64_t map_hash(const char *key);

/* Frees keys and table, not the values. */
void map_release(struct map *map);

/*
 * In no order; the map is not changed meanwhile.
 *
 *	map_foreach (&map, slot)
 *		use(slot->key, slot->value);
 */
/* clang-format off */
#define map_foreach(map_, slot_) \
	for (struct map_slot *slot_ = (map_)->slots, \
	    *end_##slot_ = slot_ ? slot_ + (map_)->cap : NULL; \
	    slot_ != end_##slot_; slot_++) \
		if (slot_->key)
/* clang-format on */

#endif
