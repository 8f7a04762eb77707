/* SPDX-License-Identifier: Apache-2.0 */
/* What a mount says of itself (.registryfs/status.json), as lines to read. */
#ifndef FS_COMMANDS_STATUS_LINES_H
#define FS_COMMANDS_STATUS_LINES_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* How the lines are to look. */
struct status_style {
	bool bars;    /* pushes have one: it is a terminal */
	size_t width; /* columns; 0: as long as they are */
};

/* Appends the lines. before: what the same mount said so many seconds ago, for
 * rates, or NULL. What the document lacks is left out. */
int status_lines(const json_t *status, const json_t *before, double seconds,
    const struct status_style *style, struct buf *out, struct err *err);

#endif
