/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership without ladders: an owning local is declared with the attribute
 * that releases it, from its first line, and handed over with steal().
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/*
 * Defines fn_p, for CLEANUP(fn_p) on a `type` (a pointer) that fn() frees. NULL
 * is left alone.
 */
#define DEFINE_CLEANUP(type, fn) \
	static inline void fn##_p(type *pointer) \
	{ \
		if (*pointer) \
			fn(*pointer); \
	} \
	struct fn##_semicolon_

/* The pointer's value; the pointer is NULL afterwards. */
#define steal(pointer) \
	__extension__({ \
		__typeof__(*(pointer)) stolen_ = *(pointer); \
		*(pointer) = NULL; \
		stolen_; \
	})

/* For CLEANUP() on a pointer: frees what it points to. */
static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

/* For CLEANUP() on a descriptor: closes it, unless it is negative. */
static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* The descriptor's value; the variable is -1 afterwards. */
static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#define AUTO_FREE CLEANUP(cleanup_free)
#define AUTO_FD CLEANUP(cleanup_fd)

#endif
