/* SPDX-License-Identifier: Apache-2.0 */
/* The set of directories that exist only here. */
#include "made.h"

#include <pthread.h>
#include <string.h>

#include "base/lock.h"
#include "base/map.h"

struct made {
	pthread_mutex_t lock;
	struct map paths; /* under lock */
};

struct made *made_new(struct err *err)
{
	struct made *made = calloc(1, sizeof(*made));

	if (!made) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&made->lock, NULL);
	return made;
}

void made_free(struct made *made)
{
	map_release(&made->paths);
	pthread_mutex_destroy(&made->lock);
	free(made);
}

int made_add(struct made *made, const char *repository, struct err *err)
{
	SCOPED_LOCK(&made->lock);
	return map_put(&made->paths, repository, made) < 0 ? err_nomem(err) : 0;
}

bool made_has(struct made *made, const char *repository)
{
	SCOPED_LOCK(&made->lock);
	return map_get(&made->paths, repository) != NULL;
}

bool made_remove(struct made *made, const char *repository)
{
	SCOPED_LOCK(&made->lock);
	return map_del(&made->paths, repository) != NULL;
}

int made_children(struct made *made, const char *parent,
    int (*each)(void *arg, const char *name, struct err *err), void *arg,
    struct err *err)
{
	size_t len = strlen(parent);

	SCOPED_LOCK(&made->lock);
	map_foreach (&made->paths, slot) {
		const char *name = slot->key;
		int r;

		if (len && (strncmp(name, parent, len) || name[len] != '/'))
			continue;
		name += len ? len + 1 : 0;
		if (strchr(name, '/'))
			continue;
		r = each(arg, name, err);
		if (r < 0)
			return r;
	}
	return 0;
}
