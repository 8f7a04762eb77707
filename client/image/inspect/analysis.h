/* SPDX-License-Identifier: Apache-2.0 */
/* What the layers of an image do to each other, and what is left of them. */
#ifndef CLIENT_IMAGE_INSPECT_ANALYSIS_H
#define CLIENT_IMAGE_INSPECT_ANALYSIS_H

#include "image/images.h"

/* What one layer does: files are all that is no directory. */
struct tally {
	uint64_t added, changed, removed; /* files */
	uint64_t hidden; /* bytes of files of lower layers, which nobody sees */
};

enum { RANKING_MAX = 40 };

/* The largest of many, the largest first. */
struct ranking {
	struct ranked {
		char *path;
		uint64_t bytes;
	} list[RANKING_MAX];
	size_t count;
	uint64_t rest; /* bytes of all others */
};

struct analysis {
	/* Layers without an index: if there are any, all that follows is
	 * zero. */
	size_t unknown;
	struct tally *layers;  /* one each */
	uint64_t files, bytes; /* of the root file system */
	uint64_t hidden;       /* bytes of files that nobody sees */
	/*
	 * dive's figure (dive/filetree/efficiency.go): of each path that is no
	 * directory, the smallest of its sizes in the layers, over all of them;
	 * a whiteout of a file is one of no bytes, one of a directory has those
	 * of all that was in it.
	 */
	uint64_t smallest, stored;
	struct ranking largest; /* files */
	struct ranking wasted;  /* paths, by their bytes that are hidden */
	struct ranking
	    directories; /* of two components, and files above them */
};

/* Makes no request. -EUCLEAN where an index is damaged. */
int analysis_of(struct image *image, struct analysis *out, struct err *err);
void analysis_release(struct analysis *analysis);

/* Between 0 and 1. */
double analysis_efficiency(const struct analysis *analysis);

#endif
