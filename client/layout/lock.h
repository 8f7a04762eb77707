/* SPDX-License-Identifier: Apache-2.0 */
/* The lock that those hold who change a layout: flock(2) of its oci-layout. */
#ifndef CLIENT_LAYOUT_LOCK_H
#define CLIENT_LAYOUT_LOCK_H

#include "state.h"

/* Waits until nobody else changes the layout in dir. The lock goes with the
 * descriptor that is returned. -EINTR; -EBUSY with a sentence when the call has
 * waited as long as it may, which names the process that has it. */
int layout_lock(struct layout_source *layouts, const char *dir,
    struct err *err);

/* The same of any file or directory of the tree. */
int layout_lock_path(struct layout_source *layouts, const char *path,
    struct err *err);

#endif
