/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of names in a sentence. */
#ifndef ARCHIVE_LIST_H
#define ARCHIVE_LIST_H

#include <stdbool.h>

#include "base/buf.h"

/* The limit of such a buffer, so that the sentence stays one that is read. */
enum { LIST_MAX = 300 };

/* Adds a name, after a comma if it is not the first; false when it is full. */
bool list_add(struct buf *list, const char *name);

#endif
