/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tar of a layer as every engine unpacks it. What has GNU's or Solaris' own
 * types (sparse and contiguous files, dumps, volume labels) or global headers
 * is a tar that some of them refuse. So is one that has a name twice, as `tar
 * -r` makes it. Such a tar is written once more, as the tree that comes of it
 * when it is unpacked: the last entry of a name wins.
 */
#ifndef LAYER_PLAIN_H
#define LAYER_PLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "stream/sink.h"
#include "tar/format.h"

struct layer_plain;

/* dir (copied): where it keeps what is too much for memory. */
int layer_plain_new(const char *dir, struct layer_plain **out, struct err *err);
void layer_plain_free(struct layer_plain *plain);

DEFINE_CLEANUP(struct layer_plain *, layer_plain_free);

/* Takes the next entry; its offset is the one in the tar. A tree that is larger
 * than a layer's can be is no tree: then it is no more than a tar. */
void layer_plain_add(struct layer_plain *plain, const struct tar_entry *entry);

/*
 * What engines do with the tar as it stands: 0, they unpack it; 1, it is to be
 * written; -EINVAL, with a sentence: it has what nobody can unpack. with_base:
 * it goes on top of other layers, whose files its hard links can mean.
 */
int layer_plain_check(struct layer_plain *plain, bool with_base,
    struct err *err);

/*
 * Writes the tree as a tar, with the contents that lie in fd from offset on:
 * whiteouts first, a directory before what is in it, sparse files with all of
 * their zeros. It can be written again. There are no more entries to come.
 *
 * -EINVAL for a tar that is cut off, or for what no tar can hold; -EFBIG where
 * the zeros are too many, or the entries; -EINTR; what the sink says.
 */
int layer_plain_write(struct layer_plain *plain, int fd, uint64_t offset,
    struct sink *out, struct err *err);

#endif
