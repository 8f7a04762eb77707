/* SPDX-License-Identifier: Apache-2.0 */
/* That the layout itself does not have something. */
#ifndef CLIENT_LAYOUT_LACKING_H
#define CLIENT_LAYOUT_LACKING_H

#include <errno.h>

#include "base/err.h"

/* The status that says it in HTTP (source/source.h). */
enum { STATUS_NOT_FOUND = 404 };

/* -ENOENT, with a sentence. */
#define lacking(err, ...) \
	(err_set((err), ENOENT, __VA_ARGS__), (err)->http = STATUS_NOT_FOUND, \
	    -ENOENT)

#endif
