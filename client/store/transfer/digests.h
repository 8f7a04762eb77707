/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The digests of a blob's blocks, taken while all of it is compared with its
 * own digest: by them a block that is fetched again, alone, is verified. They
 * are against a source that gives other bytes the next time, for which the
 * checksums against disks (sums.h) are not strong enough.
 */
#ifndef STORE_DIGESTS_H
#define STORE_DIGESTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

enum { DIGESTS_BLOCK = 512 * 1024 };

struct digests;

/* Of no byte yet. NULL on failure, err filled. */
struct digests *digests_new(struct err *err);
void digests_free(struct digests *digests);

DEFINE_CLEANUP(struct digests *, digests_free);

/* The blob's next bytes. */
int digests_add(struct digests *digests, const void *data, size_t len,
    struct err *err);

/* The blob ends here. */
int digests_end(struct digests *digests, struct err *err);

/* Compares whole blocks: off is the start of one, and what ends inside one ends
 * with the blob. 0, or -EBADMSG. */
int digests_check(const struct digests *digests, const void *data, size_t len,
    uint64_t off, struct err *err);

#endif
