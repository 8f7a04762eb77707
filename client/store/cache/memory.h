/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary files in memory, which all together are bounded. */
#ifndef STORE_MEMORY_H
#define STORE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	MEMORY_FILES_MAX = 64,
	/* Of all of them: the indexes of some images. */
	MEMORY_BYTES_MAX = 32 * 1024 * 1024,
};

struct memory_file {
	int fd;
	uint64_t size;
};

/* A user of one of the files, open or mapped, holds a lock on it; what nobody
 * uses any more counts no longer. All zeros: no files. */
struct memory {
	struct memory_file files[MEMORY_FILES_MAX];
	size_t count;
	uint64_t bytes;
};

void memory_release(struct memory *memory);

/* A file for that many bytes: the descriptor, or -ENOSPC where there would be
 * too many. Not from two threads at once. */
int memory_file(struct memory *memory, uint64_t size, struct err *err);

#endif
