/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layers of a registry's images, read without being unpacked. A layer that
 * is in many images is one here: one index, made once, and one copy of each
 * span in memory.
 *
 * The index comes from the store if it was made before; else from the layer's
 * own table of contents, where the manifest vouches for one; else from a pass
 * over the whole layer, whose digest has to come out right. After that only
 * those ranges of the blob are fetched that hold what is read, and nothing is
 * handed out that was not compared with its digest.
 *
 * Usable from any thread.
 */
#ifndef LAYER_LAYER_H
#define LAYER_LAYER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "layer/index.h"
#include "oci/manifest.h"
#include "store/store.h"

struct layer;

/* All layers that are in use, and what they share: threads that make indexes,
 * threads that decode ahead, the decoded spans. */
struct layer_table;

/* store is borrowed and outlives it. */
int layer_table_new(struct store *store, struct layer_table **out,
    struct err *err);

/* No layer is open any more. What is under way is given up. */
void layer_table_free(struct layer_table *table);

DEFINE_CLEANUP(struct layer_table *, layer_table_free);

/*
 * The layer that a manifest's descriptor names. Fetches nothing. The source is
 * taken, also on failure; where several came for one layer, another is asked
 * when one says that it has not got it. To be given back with layer_put().
 */
int layer_open(struct layer_table *table, const struct descriptor *descriptor,
    const struct store_source *source, struct layer **out, struct err *err);
struct layer *layer_get(struct layer *layer);
void layer_put(struct layer *layer);

DEFINE_CLEANUP(struct layer *, layer_put);

/* The digest of its blob, borrowed from the layer. */
const struct digest *layer_digest(const struct layer *layer);

/* A text that says which layer, read by which index, it is: the same in every
 * process. */
const char *layer_key(const struct layer *layer);

/* The index if it is there, without a request and without waiting; else NULL.
 * Lives as long as the layer. */
const struct layer_index *layer_index_known(struct layer *layer);

/* From now on somebody waits for the index, which is made if it is not there:
 * several may be made side by side. Nobody any more: making it is given up if
 * less than half of it is done. */
int layer_want(struct layer *layer, struct err *err);
void layer_unwant(struct layer *layer);

/*
 * Waits for the index; it is wanted. -EBADMSG where the blob is not that of its
 * digest, -EIO where it is no layer that can be read, -EINTR, or what the
 * source failed with; a later call tries again.
 */
int layer_await(struct layer *layer, const struct layer_index **out,
    struct err *err);

/* Begins to fetch all of the blob, in the background. */
void layer_prefetch(struct layer *layer);

/*
 * What the layer, the index of which is there, says of an entry: its
 * attributes; its target as a new string; its extended attributes, appended for
 * layer_next_xattr(); how many bytes of it are stored, which are fewer than its
 * size where it is sparse. An index that is damaged in the cache is made again
 * first: errors are those of layer_await().
 */
int layer_entry(struct layer *layer, uint32_t number, struct layer_entry *out,
    struct err *err);
int layer_target(struct layer *layer, uint32_t number, char **out,
    struct err *err);
int layer_xattrs(struct layer *layer, uint32_t number, struct buf *out,
    struct err *err);
int layer_stored(struct layer *layer, const struct layer_entry *entry,
    uint64_t *out, struct err *err);

/*
 * Where in a file of the layer the next data (or, for hole, the next hole) is
 * from off on, as lseek(2) has it. -ENXIO where there is none.
 */
int layer_seek(struct layer *layer, uint32_t entry, uint64_t off, bool hole,
    uint64_t *out, struct err *err);

/*
 * Reads a file of the layer (an entry of its index, which is there); short only
 * at the file's end. -EBADMSG, -EINTR, or what the source failed with; -EINVAL
 * for what is no file, -EIO for a hard link that leads nowhere.
 */
ssize_t layer_read(struct layer *layer, uint32_t entry, void *data, size_t len,
    uint64_t off, struct err *err);

/* The same of what has been decoded and is still in memory: nothing waits.
 * -EAGAIN: not all of it is there; -EUCLEAN: the index is damaged. */
ssize_t layer_read_known(struct layer *layer, uint32_t entry, void *data,
    size_t len, uint64_t off, struct err *err);

/*
 * Whether the blob can be read as it is stored without being there whole: its
 * index is known, and has digests of all its bytes where they stand. Makes no
 * request, and does not wait.
 */
bool layer_is_vouched(struct layer *layer);

/*
 * Reads the blob of such a layer; short only at its end. Only what has a say in
 * these bytes is fetched, and nothing is handed out that was not compared with
 * its digest. Errors as layer_read().
 */
ssize_t layer_read_stored(struct layer *layer, void *data, size_t len,
    uint64_t off, struct err *err);

/* Bytes of the blob that are held for such reads, if it is not there whole. */
uint64_t layer_cached(struct layer *layer);

/* Whether somebody reads its files one after the other. */
bool layer_is_walked(struct layer *layer);

#endif
