/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the source that read; each is as source/source.h says. */
#ifndef CLIENT_ROUTES_READS_H
#define CLIENT_ROUTES_READS_H

#include "walk.h"

/* From a mirror that may be asked so, else from the registry. What a tag names
 * may be at a mirror for tags alone, which is asked last for a digest. */
int reads_manifest_get(struct source *source, const char *repository,
    const char *reference, struct source_manifest *out, struct err *err);
/* The same. */
int reads_manifest_head(struct source *source, const char *repository,
    const char *reference, struct digest *out, struct err *err);
/* 0 only where the registry itself says so. */
int reads_manifest_look(struct source *source, const char *repository,
    const char *reference, struct digest *out, struct err *err);

/* The registry's list, where it gives none a mirror's. */
int reads_referrers(struct source *source, const char *repository,
    const struct digest *digest, source_referrer_fn *each, void *arg,
    struct err *err);

/* From a mirror for digests, else from the registry. Where one breaks off the
 * next goes on. */
int reads_blob(struct source *source, const char *repository,
    const struct digest *digest, uint64_t offset, uint64_t len,
    struct sink *sink, struct err *err);
/* The mirror that sent them is left alone; false where the registry did. */
bool reads_blob_wrong(struct source *source, const char *repository,
    const struct digest *digest);

#endif
