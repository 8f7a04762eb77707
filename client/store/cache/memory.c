/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary files in memory. */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"

void memory_release(struct memory *memory)
{
	for (size_t i = 0; i < memory->count; i++)
		close(memory->files[i].fd);
	*memory = (struct memory){.count = 0};
}

static void sweep(struct memory *memory)
{
	size_t i = 0;

	while (i < memory->count) {
		struct memory_file *file = &memory->files[i];

		if (flock(file->fd, LOCK_EX | LOCK_NB) < 0) {
			i++;
			continue;
		}
		close(file->fd);
		memory->bytes -= file->size;
		*file = memory->files[--memory->count];
	}
}

/* The file, opened once more: a lock is one opening's. */
static int open_locked(int fd, struct err *err)
{
	AUTO_FD int own = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_RDWR | O_CLOEXEC);
	if (own < 0 || flock(own, LOCK_SH) < 0)
		return err_sys(err, "cannot open a file in memory");
	return steal_fd(&own);
}

int memory_file(struct memory *memory, uint64_t size, struct err *err)
{
	AUTO_FD int fd = -1;
	int own;

	sweep(memory);
	if (memory->count == MEMORY_FILES_MAX ||
	    size > MEMORY_BYTES_MAX - memory->bytes)
		return err_set(err, ENOSPC,
		    "there is no room for %llu bytes in memory instead",
		    (unsigned long long)size);
	fd = memfd_create("registryfs", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot create a file in memory");
	own = open_locked(fd, err);
	if (own < 0)
		return own;
	memory->files[memory->count++] =
	    (struct memory_file){steal_fd(&fd), size};
	memory->bytes += size;
	return own;
}
