/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that come page by page, the next one named by Link. */
#ifndef CLIENT_REGISTRY_PAGES_H
#define CLIENT_REGISTRY_PAGES_H

#include "call.h"
#include "walk.h"

/* Reads one page, of any status, and notes what is in it. Nonzero ends the walk
 * and is returned. */
typedef int page_fn(struct registry *registry, const struct call *call,
    struct http_response *response, struct page *page, void *arg,
    struct err *err);

/* GETs the call's page and all that follow; -EIO where they lead in a circle,
 * repeat themselves, or bring next to nothing and do not end. */
int pages_walk(struct registry *registry, struct call *call, page_fn *read,
    void *arg, struct err *err);

#endif
