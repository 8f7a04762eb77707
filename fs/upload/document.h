/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents: files of an image that are read as what they are, and written to
 * change the image: TAG.tar, image.tar, manifest.json, config.json. Their
 * content is a node of another view that nobody else knows; what is written is
 * a file, which has the document's name.
 */
#ifndef FS_DOCUMENT_H
#define FS_DOCUMENT_H

#include "image/save.h"
#include "node/intent.h"
#include "node/nodes.h"

/* Its parts are taken, also on failure. content NULL: there is none to be read,
 * as of a name that has been written; then size is what it had. */
struct document {
	struct node *dir; /* borrowed */
	const char *name;
	struct write_intent intent; /* of what is written into it */
	struct node *content;
	uint64_t size;
	/* There is content, which is lost: why. It can be written, and so be
	 * replaced. NULL: it is not. Borrowed. */
	const struct err *lost;
};

/* Makes a node of it, held, or gives the one that has its key. Takes
 * document->intent and document->content, also on failure. -ENOMEM. */
int document_node(const struct document *document, struct node **out,
    struct err *err);

/* The number by which programs know its content, whatever leads to it. */
uint64_t document_number(const struct node *node);

/* What an open document of an archive is read from, else NULL. */
struct save *document_save(const struct handle *handle);

/* Whether the caller has opened it to read it, not long ago. */
bool document_was_read(struct node *node);

/* What is written into it becomes; as long as the node lives. */
const struct write_intent *document_intent(const struct node *node);

/* The document of a name that has been written in the directory: 1, or 0. */
int document_written(struct node *dir, const char *name, struct node **out,
    struct err *err);

/* The same of an archive of several images that the calling program has pushed,
 * and whose attributes it then sets by name: each image has a name of its own,
 * and this is nothing to others. */
int document_of_bundle(struct node *dir, const char *name, struct node **out,
    struct err *err);

/* Content: an image as an archive (tag NULL: without a name). To be taken by
 * document_node(). */
int archive_content(struct mount_source *source, struct image *image,
    const char *tag, struct node **out, struct err *err);
uint64_t archive_number(const struct mount_source *source,
    const struct image *image, const char *tag);
struct save *archive_content_save(const struct node *node);

#endif
