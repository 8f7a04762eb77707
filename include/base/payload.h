/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent or written somewhere: bytes in memory, or part of a file. */
#ifndef BASE_PAYLOAD_H
#define BASE_PAYLOAD_H

#include <stdatomic.h>
#include <stdint.h>

/* Borrowed by who reads it, and can be read more than once. */
struct payload {
	const void *data; /* used when not NULL */
	int fd;           /* used when data is NULL and size > 0 */
	uint64_t offset;  /* in the file, bytes */
	uint64_t size;    /* bytes */
	/* Or NULL: grows by the bytes that were sent, also when they are sent
	 * again. */
	atomic_uint_fast64_t *sent;
};

#endif
