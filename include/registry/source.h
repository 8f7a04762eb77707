/* SPDX-License-Identifier: Apache-2.0 */
/* A registry as a source of images (source/source.h). */
#ifndef REGISTRY_SOURCE_H
#define REGISTRY_SOURCE_H

#include "registry/registry.h"
#include "source/source.h"

/* Takes the registry, also on failure: it is closed with the source, which is
 * to be closed with source_close(). -ENOMEM. */
int registry_source(struct registry *registry, struct source **out,
    struct err *err);

#endif
