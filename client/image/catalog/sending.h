/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who sends which blob to which repository. Pushes of one image under several
 * tags at once have the same blobs: each is sent by one of them, while the
 * others wait and then find it there.
 */
#ifndef IMAGE_SENDING_H
#define IMAGE_SENDING_H

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/digest.h"

struct sending;

/* NULL: out of memory, err filled. When it is freed no thread is between
 * sending_begin() and sending_end(); NULL does nothing. */
struct sending *sending_new(struct err *err);
void sending_free(struct sending *sending);

DEFINE_CLEANUP(struct sending *, sending_free);

/* Waits while another sends that blob, then is the one who may: *key goes to
 * sending_end(). -EINTR. */
int sending_begin(struct sending *sending, const char *repository,
    const struct digest *digest, char **key, struct err *err);

/* Takes key; NULL does nothing. */
void sending_end(struct sending *sending, char *key);

#endif
