/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON files of an image saved as an archive. */
#ifndef ARCHIVE_LAYOUT_JSON_H
#define ARCHIVE_LAYOUT_JSON_H

#include "archive/layout.h"
#include "base/buf.h"

/* The index.json: one entry, the manifest or index that the tag names, with
 * the image's names as annotations. Appends; -EFBIG, -ENOMEM. */
int layout_index_print(struct buf *out, const struct layout_input *input,
    struct err *err);

/* docker's manifest.json; input->image is one of the manifests. */
int layout_docker_print(struct buf *out, const struct layout_input *input,
    struct err *err);

#endif
