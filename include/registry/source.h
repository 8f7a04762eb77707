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

/*
 * The same of a registry that is opened by the first call which asks it for
 * something: no request is made now. http and creds are borrowed and outlive
 * the source; options are copied. Each call then can fail as registry_open()
 * does, and does so at once for some seconds after it has failed. A login that
 * the registry refuses is said in the log. -EINVAL as registry_open(); -ENOMEM.
 */
int registry_source_later(struct http *http, struct creds *creds,
    const struct registry_options *options, struct source **out,
    struct err *err);

/* What the source of that address can do (enum source_ability). Asks nobody. */
unsigned registry_source_abilities(const char *address);

/* Opens the registry of registry_source_later() now, if it is not open. */
int registry_source_reach(struct source *source, struct err *err);

#endif
