/* SPDX-License-Identifier: Apache-2.0 */
/* What services say of repositories and tags. */
#include "facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"

/* Repositories and tags of which something is kept: some megabytes. */
enum { FACTS_MAX = 32 << 10 };

struct facts_of {
	size_t len;
	char text[];
};

void facts_init(struct facts *facts)
{
	pthread_mutex_init(&facts->lock, NULL);
	facts->kept = facts->read = (struct map)MAP_INIT;
}

static void map_clear(struct map *map)
{
	map_foreach (map, slot)
		free(slot->value);
	map_release(map);
	*map = (struct map)MAP_INIT;
}

void facts_release(struct facts *facts)
{
	map_clear(&facts->kept);
	map_clear(&facts->read);
	pthread_mutex_destroy(&facts->lock);
}

/* Under the lock; value is taken. */
static void put(struct map *map, const char *key, void *value)
{
	free(map_del(map, key));
	if (map->count >= FACTS_MAX)
		map_clear(map);
	if (value && map_put(map, key, value) < 0)
		free(value);
}

/* Whether one of that name is in the text. */
static bool has(const char *text, size_t len, const char *name)
{
	for (size_t at = 0; at < len;) {
		if (strcmp(text + at, name) == 0)
			return true;
		at += strlen(text + at) + 1;
		at += strlen(text + at) + 1;
	}
	return false;
}

/* What is kept, but for what the text says, after the text. Under the lock.
 * NULL: no memory. */
static struct facts_of *merge(const struct facts_of *kept, const char *text,
    size_t len)
{
	size_t more = kept ? kept->len : 0;
	struct facts_of *value = malloc(sizeof(*value) + len + more);

	if (!value)
		return NULL;
	memcpy(value->text, text, len);
	value->len = len;
	for (size_t at = 0; at < more;) {
		const char *name = kept->text + at;
		size_t size = strlen(name) + 1;

		size += strlen(name + size) + 1;
		if (!has(text, len, name)) {
			memcpy(value->text + value->len, name, size);
			value->len += size;
		}
		at += size;
	}
	return value;
}

void facts_keep(struct facts *facts, const char *of, const char *text,
    size_t len)
{
	SCOPED_LOCK(&facts->lock);

	put(&facts->kept, of, merge(map_get(&facts->kept, of), text, len));
}

/* A copy, for nobody calls out under the lock; NULL: there is nothing, or no
 * memory (*len is not 0 then). */
static char *copy(struct facts *facts, const char *of, size_t *len)
{
	SCOPED_LOCK(&facts->lock);
	const struct facts_of *value = map_get(&facts->kept, of);
	char *text = NULL;

	*len = value ? value->len : 0;
	if (*len)
		text = malloc(*len);
	if (text)
		memcpy(text, value->text, *len);
	return text;
}

int facts_each(struct facts *facts, const char *of, source_fact_fn *each,
    void *arg, struct err *err)
{
	size_t len;
	AUTO_FREE char *text = copy(facts, of, &len);
	int r = 0;

	if (len && !text)
		return err_nomem(err);
	for (size_t at = 0; at < len && r == 0;) {
		const char *name = text + at;
		const char *value = name + strlen(name) + 1;

		at = (size_t)(value + strlen(value) + 1 - text);
		r = each(arg, name, value, err);
	}
	return r;
}

void facts_note_read(struct facts *facts, const char *repository)
{
	int64_t *at = malloc(sizeof(*at));
	SCOPED_LOCK(&facts->lock);

	if (at)
		*at = clock_seconds();
	put(&facts->read, repository, at);
}

bool facts_are_read(struct facts *facts, const char *repository, unsigned age)
{
	SCOPED_LOCK(&facts->lock);
	const int64_t *at = map_get(&facts->read, repository);

	return at && clock_seconds() - *at < (int64_t)age;
}
