/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for a name among others, which are sorted, in files that may be
 * damaged. */
#ifndef LAYER_NAMES_H
#define LAYER_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "layer/index.h"

struct index_names {
	/* The name of a number: true, if it has one. It may be wrong. */
	bool (*peek)(const void *list, uint32_t number,
	    char out[LAYER_NAME_SIZE]);
	/* The same compared with its check, and what has the name, which is
	 * kept in the list. -EUCLEAN. */
	int (*read)(void *list, uint32_t number, char out[LAYER_NAME_SIZE],
	    struct err *err);
	/* What was read is not where it should be: returns -EUCLEAN. */
	int (*set_damaged)(const void *list, struct err *err);
};

/*
 * Looks for a name (len bytes) among `count` from `first` on: 1 and its number,
 * where it was read last, or 0. -EUCLEAN.
 *
 * What leads there is only peeked at, which is several times as fast. It is the
 * end that is read: the name itself, or the two between which it would be.
 */
int names_find(const struct index_names *names, void *list, uint32_t first,
    uint32_t count, const char *name, size_t len, uint32_t *out,
    struct err *err);

#endif
