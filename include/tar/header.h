/* SPDX-License-Identifier: Apache-2.0 */
/* Writes tar headers: ustar, with pax only where ustar cannot say it. */
#ifndef TAR_HEADER_H
#define TAR_HEADER_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "tar/format.h"

/* Appends the header block(s) of a file or, where name ends in '/', of a
 * directory. Owner 0, mode 0644 or 0755. The same arguments give the same
 * bytes. */
int tar_header_print(struct buf *out, const char *name, uint64_t size,
    int64_t mtime, struct err *err);

#endif
