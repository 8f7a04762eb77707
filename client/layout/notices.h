/* SPDX-License-Identifier: Apache-2.0 */
/* What the log says of an index.json that was read: what of it is not shown,
 * and which tags that were put here another program has dropped. */
#ifndef CLIENT_LAYOUT_NOTICES_H
#define CLIENT_LAYOUT_NOTICES_H

#include "state.h"

/* layout_state_get(), after which the log has what is to be said of it. */
int notices_state_get(struct layout_source *layouts, const char *dir,
    struct layout_state **out, struct err *err);

/* A name was put into it, and is to be there from now on. */
void notices_put(struct layout_source *layouts, const char *dir,
    const struct layout_name *name, const struct digest *digest);

/* A name is about to be removed here, or all of a digest in a repository. */
void notices_remove(struct layout_source *layouts, const char *dir,
    const struct layout_name *name);
void notices_remove_digest(struct layout_source *layouts, const char *dir,
    const char *repository, const struct digest *digest);

/* Forgets all. */
void notices_release(struct layout_source *layouts);

#endif
