/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests, indexes and configs with something changed: printed anew with all
 * else as it was and in its order, also what is not known here. The bytes that
 * are edited are some that manifest_parse() or config_parse() took.
 */
#ifndef OCI_EDIT_H
#define OCI_EDIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "oci/manifest.h"

/* An image's manifest with another config, of which digest and size count, and
 * with one more layer (NULL: with those that it has). */
int manifest_edit(struct buf *out, const void *manifest, size_t len,
    const struct descriptor *config, const struct descriptor *layer,
    struct err *err);

/* A manifest or index with that annotation; value NULL: without it. Both are
 * UTF-8, or -EINVAL. */
int manifest_annotate(struct buf *out, const void *manifest, size_t len,
    const char *name, const char *value, struct err *err);

/* An index whose entries of the digest `from` are of another manifest now, of
 * which digest, size and media type count. */
int index_replace(struct buf *out, const void *index, size_t len,
    const struct digest *from, const struct descriptor *to, struct err *err);

/* The same for the entry at that place alone. */
int index_replace_at(struct buf *out, const void *index, size_t len, size_t at,
    const struct descriptor *to, struct err *err);

/*
 * Prints an index (len bytes; NULL: an empty one) with one more entry and all
 * else as it was, also what is not known here. 1 if it has been printed, 0 if
 * the index has an entry of that digest already; -EINVAL where it is no index.
 */
int index_add(struct buf *out, const void *index, size_t len,
    const struct descriptor *entry, struct err *err);

/* The same without the entries of a digest: 1, or 0 if it has none. */
int index_remove(struct buf *out, const void *index, size_t len,
    const struct digest *digest, struct err *err);

/* A config with one more layer. `created`, seconds since 1970, and created_by,
 * UTF-8, are its history's; -EINVAL as config_print(). */
int config_add_layer(struct buf *out, const void *config, size_t len,
    const struct digest *diff_id, int64_t created, const char *created_by,
    struct err *err);

#endif
