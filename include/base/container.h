/* SPDX-License-Identifier: Apache-2.0 */
/* From a member of a struct to the struct. */
#ifndef BASE_CONTAINER_H
#define BASE_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

/*
 * The `type` whose `member` is at pointer, which is not NULL and of the
 * member's type. A pointer to const wants a const type.
 */
#define container_of(pointer, type, member) \
	__extension__({ \
		__typeof__(((type *)0)->member) *member_ = (pointer); \
		(type *)((uintptr_t)member_ - offsetof(type, member)); \
	})

#endif
