/* SPDX-License-Identifier: Apache-2.0 */
/* Under which names an image directory shows what its manifest lists. */
#ifndef FS_PART_NAMES_H
#define FS_PART_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "image/images.h"
#include "image/referrers.h"

enum { PART_NAME_SIZE = 256 }; /* NAME_MAX and its NUL */

/*
 * Each names the manifest's entry at index; "" where it is not shown. 0 or
 * -errno: a layer whose media type says nothing is read to tell its kind, a
 * platform that an index does not give is read from the image's config.
 */
int layer_name(struct image *image, size_t index, char out[PART_NAME_SIZE],
    struct err *err);
/* The name of a layer's directory, without an ending. */
void layer_dir_name(const struct image *image, size_t index,
    char out[PART_NAME_SIZE]);
/* Whether a file is called as layers are, with two digits at least; then which
 * one, from 0 on. */
bool layer_is_numbered(const char *name, size_t *index);
int platform_name(struct image *image, size_t index, char out[PART_NAME_SIZE],
    struct err *err);

/*
 * The name of a referrer's directory: its kind and the beginning of its digest,
 * or all of that where this is not the only one that begins so. The entry that
 * is meant by such a name, also by one with the whole digest, or by a digest.
 */
void referrer_name(const struct referrers *referrers, size_t index,
    char out[PART_NAME_SIZE]);
bool referrer_find(const struct referrers *referrers, const char *name,
    size_t *index);

#endif
