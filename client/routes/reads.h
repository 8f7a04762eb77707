/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the source that read; each is as source/source.h says. */
#ifndef CLIENT_ROUTES_READS_H
#define CLIENT_ROUTES_READS_H

#include "walk.h"

int reads_manifest_get(struct source *source, const char *repository,
    const char *reference, struct source_manifest *out, struct err *err);
int reads_manifest_head(struct source *source, const char *repository,
    const char *reference, struct digest *out, struct err *err);
int reads_manifest_look(struct source *source, const char *repository,
    const char *reference, struct digest *out, struct err *err);
int reads_referrers(struct source *source, const char *repository,
    const struct digest *digest, source_referrer_fn *each, void *arg,
    struct err *err);
int reads_blob(struct source *source, const char *repository,
    const struct digest *digest, uint64_t offset, uint64_t len,
    struct sink *sink, struct err *err);
bool reads_blob_wrong(struct source *source, const char *repository,
    const struct digest *digest);

#endif
