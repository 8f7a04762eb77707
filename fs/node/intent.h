/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file becomes that is written into a directory of the mount, whose view
 * says what the directory is (view.h), and how it does.
 */
#ifndef FS_INTENT_H
#define FS_INTENT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "grammar/intent.h"
#include "image/push.h"
#include "mount_source.h"
#include "node.h"

/* What has been written. */
struct write_content {
	const char *name;
	const char *type; /* an artifact's, which the writer gave it, or "" */
	struct spool *spool;
	const struct digest *pushed; /* NULL where it is no archive */
};

/* How a written file takes effect. */
struct write_kind {
	/* It is an archive of an image, which is pushed while it comes in; else
	 * nothing is done before the file is closed. */
	bool is_archive;
	/*
	 * And that may have several images: where one goes, as push_bundle's
	 * place() (image/push.h). NULL: it becomes the intent's tag.
	 */
	int (*place)(const struct write_intent *intent, const char *name,
	    struct push_place *out, struct err *err);
	/* And that puts no tag: apply() does what is left. */
	bool is_untagged;
	/*
	 * The file is whole; pushed is what its archive has become. 1, or 0 for
	 * a file that is empty; -EINVAL where more may come. NULL: the push was
	 * all.
	 */
	int (*apply)(const struct write_intent *intent,
	    const struct write_content *file, struct err *err);
};

/* That of an intent; NULL: it has no effect. */
const struct write_kind *intent_kind(const struct write_intent *intent);

/* Appends the whole file to out; -EFBIG past its limit. */
int content_read(const struct write_content *file, struct buf *out,
    struct err *err);

/* What a file of that name becomes in the directory; -EPERM where no file can
 * be. */
int write_intent(struct node *dir, const char *name, struct write_intent *out,
    struct err *err);

/* The same of a whole tree that is given that name. */
int write_intent_of_tree(struct node *dir, const char *name,
    struct write_intent *out, struct err *err);

#endif
