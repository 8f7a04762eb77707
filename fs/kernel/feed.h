/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds the kernel's page cache. A program that walks a tree reads one small
 * file after the other, in the order of their layer: the kernel is given the
 * next ones before it asks. That saves a request for each, and another for its
 * attributes, of which the time of access is unknown to the kernel once it has
 * asked for contents.
 */
#ifndef FS_FEED_H
#define FS_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "layer/layer.h"

struct feed;
struct fuse_session;
struct mount;

/* For a session (borrowed). NULL on failure, err filled. */
struct feed *feed_new(struct fuse_session *session, struct err *err);

/*
 * Gives nothing any more; whether nothing is being given. While something is,
 * the kernel's requests have to be answered: to give it a page is to wait until
 * nobody else reads that page, in a sleep that nothing interrupts.
 */
bool feed_stop(struct feed *feed);

/* Waits for what is under way, which no transfer holds up any more. Before the
 * session is unmounted by us, and with it the descriptor goes. NULL is allowed.
 */
void feed_free(struct feed *feed);

/* The beginning of a file of a layer (borrowed) has been read. Returns at once.
 */
void feed_after(struct mount *mount, struct layer *layer, uint32_t entry);

#endif
