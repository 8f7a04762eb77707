/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the source that list; each is as source/source.h says. */
#ifndef CLIENT_ROUTES_LISTS_H
#define CLIENT_ROUTES_LISTS_H

#include "walk.h"

/* What the registry lists, and of each prefix that a file leads elsewhere what
 * is listed there, by the names that it has here. */
int lists_repositories(struct source *source, source_name_fn *each, void *arg,
    struct err *err);
/* What the registry's service lists below a namespace, and finds by words;
 * mirrors are not asked. */
int lists_repositories_below(struct source *source, const char *prefix,
    source_name_fn *each, void *arg, struct err *err);
int lists_search(struct source *source, const char *words, source_name_fn *each,
    void *arg, struct err *err);
int lists_tags(struct source *source, const char *repository,
    source_name_fn *each, void *arg, struct err *err);

#endif
