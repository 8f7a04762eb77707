/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image as one archive (archive/layout.h): an index with all of its images,
 * and foreign layers as far as the registry has them. Making it reads
 * manifests; reading it, blobs.
 */
#ifndef IMAGE_SAVE_H
#define IMAGE_SAVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "image/images.h"

struct save;

/* *out is counted. The archive says that the image is called what clients call
 * its tag (image_reference()); tag NULL: it says no name. */
int save_new(struct image *image, const char *tag, struct save **out,
    struct err *err);
struct save *save_get(struct save *save);
void save_put(struct save *save);

DEFINE_CLEANUP(struct save *, save_put);

/* The image that it is made of; as long as it lives. */
struct image *save_image(const struct save *save);

/* The archive's size in bytes, known without reading a layer. */
uint64_t save_size(const struct save *save);

/*
 * To be called before it is read. Fails where no right archive can be
 * made: -EBADMSG where what the manifests say cannot be, -EIO where the
 * registry lacks manifests of an index and no image of it can stand for the
 * whole. Where one can, a line in the log says what is left out.
 */
int save_open(struct save *save, struct err *err);

/* Whether nothing is left out: else the registry may have more of it later. */
bool save_is_whole(const struct save *save);

/* Short only at the end. Errors as blob_read(). */
ssize_t save_read(struct save *save, void *data, size_t len, uint64_t off,
    struct err *err);

#endif
