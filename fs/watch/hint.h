/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What registries and services say to a webhook, by facts of theirs: which
 * repository, and maybe which tag, to look at. Nothing else of it is used.
 */
#ifndef FS_WATCH_HINT_H
#define FS_WATCH_HINT_H

#include <stddef.h>

#include "base/err.h"

/* tag: NULL where none was named. Both are valid names. */
typedef void hint_fn(void *arg, const char *repository, const char *tag);

/*
 * Calls each() for what a body names: the notifications of docker-registry (and
 * GitLab's and ACR's, which are such), Docker Hub, Harbor (its own form and
 * CloudEvents), Quay and GHCR. At most HINTS_MAX times. -EINVAL where it is no
 * JSON object; what is not known names nothing.
 */
enum { HINTS_MAX = 64 };
int hints_read(const char *body, size_t len, hint_fn *each, void *arg,
    struct err *err);

#endif
