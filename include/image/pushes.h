/* SPDX-License-Identifier: Apache-2.0 */
/* The pushes under way, and how far they are. */
#ifndef IMAGE_PUSHES_H
#define IMAGE_PUSHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "oci/reference.h"

struct pushes;

/* One push, as it was when it was looked at. */
struct push_info {
	const char *registry; /* its source's name, as long as that is open */
	char repository[REPOSITORY_MAX + 1];
	char tag[TAG_MAX + 1];
	time_t began;
	bool complete;        /* all of the archive is there */
	uint64_t received;    /* bytes of the archive from its start on */
	uint64_t sent;        /* bytes of blobs, those sent again as well */
	unsigned layers;      /* that were found in the archive so far */
	unsigned layers_done; /* of them: the registry has them, or they are of
			       * another image */
};

/* Those under way, in the order in which they began: *out is the caller's, to
 * be freed. */
int pushes_list(struct pushes *pushes, struct push_info **out, size_t *count,
    struct err *err);

struct push_counts {
	uint64_t done, failed;
};

/* How many have ended since pushes_new(), and how. */
struct push_counts pushes_count(struct pushes *pushes);

#endif
