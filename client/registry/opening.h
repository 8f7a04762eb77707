/* SPDX-License-Identifier: Apache-2.0 */
/* A registry that is opened when it is first asked for something. */
#ifndef CLIENT_REGISTRY_OPENING_H
#define CLIENT_REGISTRY_OPENING_H

#include "base/cleanup.h"
#include "registry/registry.h"

struct opening;

/* http and creds are borrowed and outlive it; options are copied. NULL: out of
 * memory, err filled. */
struct opening *opening_new(struct http *http, struct creds *creds,
    const struct registry_options *options, struct err *err);

/* Closes what was opened. NULL does nothing. */
void opening_free(struct opening *opening);

DEFINE_CLEANUP(struct opening *, opening_free);

/*
 * The registry, borrowed as long as the opening lives: opened by the first
 * call, for which others wait. NULL with err filled: what registry_open() says,
 * which is what all calls are told for some seconds then; or EINTR. Any thread
 * may ask.
 */
struct registry *opening_get(struct opening *opening, struct err *err);

/* The same if it is open; else NULL. */
struct registry *opening_known(struct opening *opening);

#endif
