/* SPDX-License-Identifier: Apache-2.0 */
/* The job that gets a blob's bytes from a source into its file. */
#ifndef STORE_FETCH_H
#define STORE_FETCH_H

#include "entry.h"

/* Queues the job; it ends with entry_complete() or entry_fail(). */
int fetch_start(struct entry *entry, struct err *err);

#endif
