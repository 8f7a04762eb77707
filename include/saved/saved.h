/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An archive of images on a disk as a source (source/source.h), which can be
 * read and not written: a docker-archive, an OCI layout in a tar, or both.
 *
 * Its images have the names that they have in the archive, "app:1.0" the tag
 * 1.0 of app; the colon of a port is '_' (oci/layout_index.h). A bare tag, and
 * an image without a name, whose tag is "latest", are of the repository that
 * the file's name says, less its ending.
 *
 * A manifest of the archive is as it stands there where its layers are
 * compressed. Where they are plain tars, and in a docker-archive, which has
 * none, it names the archive's config and layers as they are. Blobs are read
 * where they lie.
 */
#ifndef SAVED_SAVED_H
#define SAVED_SAVED_H

#include "source/source.h"

/*
 * Opens the file, an absolute path, of which only headers and documents are
 * read. name: how users write it. -EINVAL with a sentence where it is no
 * archive of images, lacks some of one, or is compressed; what open(2) says.
 */
int saved_open(const char *path, const char *name, struct source **out,
    struct err *err);

#endif
