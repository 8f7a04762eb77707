/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar as every engine unpacks it. Engines read Go's types alone: what has
 * GNU's or Solaris' own (sparse and contiguous files, dumps, volume labels) is
 * a tar that they refuse. They take sparse files as pax has them.
 */
#ifndef TAR_PLAIN_H
#define TAR_PLAIN_H

#include <stdint.h>

#include "base/err.h"
#include "stream/sink.h"

/*
 * Writes the tar of size bytes that is in fd from offset on: entries that are
 * plain (struct tar_entry) byte for byte, others as what they are read as, of
 * which sparse files have all of their zeros; what is no entry is left out. It
 * ends with an end marker.
 *
 * -EINVAL for a broken tar, or for what no tar can hold; -EFBIG where the zeros
 * are too many; -EINTR.
 */
int tar_write_plain(int fd, uint64_t offset, uint64_t size, struct sink *out,
    struct err *err);

#endif
