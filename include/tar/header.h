/* SPDX-License-Identifier: Apache-2.0 */
/* Writes tar headers: ustar, with pax only where ustar cannot say it. */
#ifndef TAR_HEADER_H
#define TAR_HEADER_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "tar/format.h"

/*
 * Appends the header block(s) of an entry; the name of a directory ends in '/'.
 * The one time is that of the last change, and a file is written as it is read:
 * all else that the walker says of an entry is left out.
 * The same entry gives the same bytes. -EINVAL, with a sentence, for what no
 * tar can hold.
 */
int tar_entry_print(struct buf *out, const struct tar_entry *entry,
    struct err *err);

/* The same for a file or, where name ends in '/', a directory. Owner 0, mode
 * 0644 or 0755. */
int tar_header_print(struct buf *out, const char *name, uint64_t size,
    int64_t mtime, struct err *err);

#endif
