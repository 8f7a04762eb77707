/* SPDX-License-Identifier: Apache-2.0 */
/* What goes into an archive of an image, and what cannot. */
#ifndef CLIENT_IMAGE_SAVE_COLLECT_H
#define CLIENT_IMAGE_SAVE_COLLECT_H

#include <stddef.h>

#include "base/buf.h"
#include "base/map.h"
#include "image/images.h"

struct save_collection {
	/* The image, and what it names where it is an index; counted. */
	struct image **images;
	size_t count, room;
	/* By digest which of them it is, or the collection itself where the
	 * registry does not have it: an index can name one again and again. */
	struct map seen;
	uint64_t bytes; /* of their manifests */
	/* The platform's image among them, for docker; SIZE_MAX: none. */
	size_t docker;

	/* Foreign layers that the registry does not have. */
	struct digest *absent;
	size_t absent_count;
	struct map asked; /* for which foreign layers, by digest */
	/* Of an index, what the registry has no manifest of, each with the
	 * platform: "sha256:… (linux/s390x), …". */
	struct buf lacking;
	bool lacks_more; /* than there was room for */
	/* Why no right archive can be made of it; code 0: one can. */
	struct err fault;
};

/*
 * Reads the manifests, and asks the registry for each foreign layer whether it
 * has it. The call succeeds also where there is a fault: the archive's size can
 * be asked for all the same. To be released in either case.
 */
int save_collect(struct image *image, struct save_collection *out,
    struct err *err);
void save_collection_release(struct save_collection *collection);

#endif
