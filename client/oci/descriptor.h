/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, and what else manifests and configs share, out of JSON. */
#ifndef CLIENT_OCI_DESCRIPTOR_H
#define CLIENT_OCI_DESCRIPTOR_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "oci/manifest.h"

/* image-spec descriptor.md. *out's strings are in the arena. */
int descriptor_read(const json_t *value, struct arena *arena,
    struct descriptor *out, struct err *err);

/* The member `annotations` of an object, in its order. */
int annotations_read(const json_t *object, struct arena *arena,
    const struct annotation **out, size_t *count, struct err *err);

/* The members by which an index's platform and a config name a platform. */
int platform_read(const json_t *object, struct platform *out, struct err *err);

#endif
