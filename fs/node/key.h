/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of nodes: the one place that makes them, for listings as for lookups. A
 * key is of what a thing is made of, so that the same thing has the same number
 * wherever it is found (node.h). Names of repositories are among those of all
 * sources (mount_source.h).
 *
 * All give a new string, or NULL when out of memory.
 */
#ifndef FS_NODE_KEY_H
#define FS_NODE_KEY_H

#include <stdint.h>

#include "mount_source.h"
#include "node.h"
#include "oci/manifest.h"

/* A directory of repositories: "" is the top; the name in it, of len bytes. */
char *key_of_repository(const struct mount_source *source, const char *path);
char *key_of_repository_in(const struct mount_source *source, const char *path,
    const char *name, size_t len);

/* The image that is the mount point; reference: a tag, or a digest's text. */
char *key_of_root_image(const struct mount_source *source,
    const char *repository, const char *reference);

/* The directory of a tag, by its name in a directory of repositories. */
char *key_of_tag(const struct node *dir, const char *name);

/* What stands in a directory under a name and is of one manifest. */
char *key_of_part(const struct node *dir, const char *name,
    const struct digest *manifest);

/* What is a part of its directory alone. */
char *key_of_child(const struct node *dir, const char *name);

/* Contents, wherever they are read. Size and media type of a blob are its
 * manifest's word, and another's may differ. tag: NULL if the archive has no
 * name. */
char *key_of_manifest(const struct digest *digest);
char *key_of_blob(const struct descriptor *blob);
char *key_of_archive(const struct mount_source *source, const char *repository,
    const char *tag, const struct digest *image);

/* The archive of an image that cannot be read as a whole, which has so many
 * bytes now: its key (taken) becomes another. */
char *key_of_partial(char *archive, uint64_t size);

/* A file of an image that can be written: where it is, and what it has. */
char *key_of_document(const struct node *dir, const char *name,
    const char *content, uint64_t size);

/* What a tree (by its root's key) shows of a layer's entry in its own way. */
char *key_of_layer_file(const char *tree, const char *layer, uint32_t entry);

/* What only this mount has, by a number of its own. */
enum key_serial { KEY_WRITTEN, KEY_LINK, KEY_SCRATCH, KEY_EVENTS };
char *key_of_serial(enum key_serial kind, uint64_t serial);

/* The number that a node of this kind and key (usually) has; takes the key. 0:
 * NULL. */
uint64_t key_number(enum node_kind kind, char *key);

#endif
