/* SPDX-License-Identifier: Apache-2.0 */
/* Names of repositories in directories. */
#ifndef FS_REPOSITORY_H
#define FS_REPOSITORY_H

#include <stdbool.h>

struct mount_source;

/* dir/name, or name at the top; NULL out of memory. */
char *repo_path(const char *dir, const char *name);

/* Whether a list that we have of the source names the repository, or one below
 * it. */
bool repo_listed(struct mount_source *source, const char *repository);

/* Whether the registry has it, or one below it, by now; it is asked once in
 * tag_ttl. */
bool repo_appeared(struct mount_source *source, const char *repository);

/* Whether it has no tags, as far as is known, and repositories below it. */
bool repo_is_namespace(struct mount_source *source, const char *repository);

/* Whether a list names one below it. */
bool repo_has_below(struct mount_source *source, const char *repository);

#endif
