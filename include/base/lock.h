/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks that end with their scope.
 *
 *	SCOPED_LOCK(&store->lock);
 *
 * holds the mutex to the end of the enclosing block.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <assert.h>
#include <pthread.h>

#include "base/cleanup.h"

/* For SCOPED_LOCK(): locks. A mutex that cannot be locked is a fault of this
 * program, which then ends. */
static inline pthread_mutex_t *scoped_lock_take(pthread_mutex_t *mutex)
{
	int r = pthread_mutex_lock(mutex);

	assert(r == 0);
	(void)r;
	return mutex;
}

/* For SCOPED_LOCK(): unlocks at the scope's end. */
static inline void scoped_lock_drop(pthread_mutex_t **mutex)
{
	pthread_mutex_unlock(*mutex);
}

#define SCOPED_LOCK_NAME2(line) scoped_lock_##line##_
#define SCOPED_LOCK_NAME(line) SCOPED_LOCK_NAME2(line)
/* clang-format off */
#define SCOPED_LOCK(mutex) \
	__attribute__((unused)) CLEANUP(scoped_lock_drop) \
	    pthread_mutex_t *SCOPED_LOCK_NAME(__LINE__) = \
		scoped_lock_take(mutex)
/* clang-format on */

#endif
