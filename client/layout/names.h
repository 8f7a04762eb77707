/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of a directory of layouts; source/source.h says what each is. */
#ifndef CLIENT_LAYOUT_NAMES_H
#define CLIENT_LAYOUT_NAMES_H

#include "state.h"

/* source_repositories() and source_tags() of a layout_source. */
int names_repositories(struct source *source, source_name_fn *each, void *arg,
    struct err *err);
int names_tags(struct source *source, const char *repository,
    source_name_fn *each, void *arg, struct err *err);

/* Whether there is a layout at all below the top: 1, 0, or an error. */
int names_any(struct layout_source *layouts, struct err *err);

#endif
