/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map: open addressing with linear probing. Names come from registries and
 * archives, so the hash is keyed with a number that a stranger cannot know and
 * nobody can choose names that collide.
 */
#include "base/map.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { FIRST_CAPACITY = 16 };

static uint64_t secret[2];
static pthread_once_t secret_once = PTHREAD_ONCE_INIT;

static void make_secret(void)
{
	if (getrandom(secret, sizeof(secret), 0) == sizeof(secret))
		return;
	/* No randomness (a very old kernel): hard to guess is what is left. */
	secret[0] = (uint64_t)time(NULL);
	secret[1] = (uint64_t)clock() ^ (uint64_t)(uintptr_t)&secret_once;
}

static uint64_t rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

/* SipHash-1-3 (Aumasson, Bernstein), words in the machine's byte order. */
uint64_t map_hash(const char *key)
{
	size_t len = strlen(key);
	uint64_t word, v[4];
	size_t i;

	pthread_once(&secret_once, make_secret);
	v[0] = secret[0] ^ UINT64_C(0x736f6d6570736575);
	v[1] = secret[1] ^ UINT64_C(0x646f72616e646f6d);
	v[2] = secret[0] ^ UINT64_C(0x6c7967656e657261);
	v[3] = secret[1] ^ UINT64_C(0x7465646279746573);
	for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, key + i, sizeof(word));
		sip_word(v, word);
	}
	word = 0;
	memcpy(&word, key + i, len - i);
	sip_word(v, word ^ (uint64_t)len << 56);
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The key's slot, or the free one where it would go. The table is not full. */
static struct map_slot *find(const struct map *map, const char *key,
    uint64_t hash)
{
	size_t i = hash & (map->cap - 1);

	while (map->slots[i].key) {
		struct map_slot *slot = &map->slots[i];

		if (slot->hash == hash && strcmp(slot->key, key) == 0)
			break;
		i = (i + 1) & (map->cap - 1);
	}
	return &map->slots[i];
}

void *map_get(const struct map *map, const char *key)
{
	if (!map->count)
		return NULL;
	return find(map, key, map_hash(key))->value;
}

static bool grow(struct map *map)
{
	size_t cap = map->cap ? map->cap * 2 : FIRST_CAPACITY;
	struct map bigger = {calloc(cap, sizeof(*bigger.slots)), cap, 0};

	if (!bigger.slots)
		return false;
	map_foreach (map, slot)
		*find(&bigger, slot->key, slot->hash) = *slot;
	bigger.count = map->count;
	free(map->slots);
	*map = bigger;
	return true;
}

int map_put(struct map *map, const char *key, void *value)
{
	uint64_t hash = map_hash(key);
	struct map_slot *slot;
	char *copy;

	if (map->count) {
		slot = find(map, key, hash);
		if (slot->key) {
			slot->value = value;
			return 0;
		}
	}
	/* A quarter stays free: probes are short, and find() ends. */
	if (map->count + 1 > map->cap / 4 * 3 && !grow(map))
		return -ENOMEM;
	copy = strdup(key);
	if (!copy)
		return -ENOMEM;
	*find(map, key, hash) = (struct map_slot){copy, hash, value};
	map->count++;
	return 0;
}

/*
 * Moves into the hole at i what would no longer be found after it: a slot
 * whose place by its hash is not between the hole and where it stands.
 */
static void close_hole(struct map *map, size_t i)
{
	const size_t mask = map->cap - 1;

	for (size_t j = (i + 1) & mask; map->slots[j].key; j = (j + 1) & mask) {
		size_t home = map->slots[j].hash & mask;

		if (((j - home) & mask) < ((j - i) & mask))
			continue;
		map->slots[i] = map->slots[j];
		i = j;
	}
	map->slots[i] = (struct map_slot){NULL, 0, NULL};
}

void *map_del(struct map *map, const char *key)
{
	struct map_slot *slot;
	void *value;

	if (!map->count)
		return NULL;
	slot = find(map, key, map_hash(key));
	if (!slot->key)
		return NULL;
	value = slot->value;
	free(slot->key);
	close_hole(map, (size_t)(slot - map->slots));
	map->count--;
	return value;
}

void map_release(struct map *map)
{
	map_foreach (map, slot)
		free(slot->key);
	free(map->slots);
	*map = (struct map)MAP_INIT;
}
