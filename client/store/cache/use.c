/* SPDX-License-Identifier: Apache-2.0 */
/* What eviction knows of the use of a file. */
#include "use.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

/* Opens are many and order among recent ones does not matter. */
enum { USED_GRAIN_SECONDS = 60 };

void use_begin(int fd)
{
	/*
	 * Fails where eviction holds the file right now. Then only its name
	 * goes: the bytes stay for as long as it is open.
	 */
	flock(fd, LOCK_SH | LOCK_NB);
}

void use_note(int fd)
{
	const struct timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
	struct stat st;
	time_t age;

	/* The order of eviction is all that a failure could spoil. */
	if (fstat(fd, &st) < 0)
		return;
	age = time(NULL) - st.st_mtime;
	if (age < 0 || age > USED_GRAIN_SECONDS)
		futimens(fd, times);
}
