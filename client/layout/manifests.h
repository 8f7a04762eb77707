/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests in layouts, and what refers to them; source/source.h says what each
 * call does. */
#ifndef CLIENT_LAYOUT_MANIFESTS_H
#define CLIENT_LAYOUT_MANIFESTS_H

#include "state.h"

/* Each is what the function of source/source.h does that has its name after
 * source_; source is a layout_source. */
int manifests_get(struct source *source, const char *repository,
    const char *reference, struct source_manifest *out, struct err *err);
int manifests_head(struct source *source, const char *repository,
    const char *reference, struct digest *out, struct err *err);
int manifests_look(struct source *source, const char *repository,
    const char *reference, struct digest *out, struct err *err);
int manifests_put(struct source *source, const char *repository,
    const char *reference, const char *media_type, const void *data, size_t len,
    const struct digest *digest, struct err *err);
int manifests_delete(struct source *source, const char *repository,
    const char *reference, struct err *err);
int manifests_remove(struct source *source, const char *repository,
    const char *reference, struct err *err);
int manifests_referrers(struct source *source, const char *repository,
    const struct digest *digest, source_referrer_fn *each, void *arg,
    struct err *err);

#endif
