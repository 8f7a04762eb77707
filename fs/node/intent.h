/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file becomes that is written into a directory of the mount: that
 * follows from its name and the directory, whose view says it (view.h).
 */
#ifndef FS_INTENT_H
#define FS_INTENT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "image/push.h"
#include "mount_source.h"
#include "node.h"

struct write_content;
struct write_intent;

/* One way in which a written file changes the registry. */
struct write_kind {
	/* It is an archive of an image, which is pushed while it comes in; else
	 * nothing is done before the file is closed. */
	bool is_archive;
	/* And that puts no tag: apply() does what is left. */
	bool is_untagged;
	/*
	 * The file is whole; pushed is what its archive has become. 1, or 0 for
	 * a file that is none (it is empty); -EINVAL where more may come. NULL:
	 * the push was all.
	 */
	int (*apply)(const struct write_intent *intent,
	    const struct write_content *file, struct err *err);
};

struct write_intent {
	struct mount_source *source;   /* whose repository it is */
	const struct write_kind *kind; /* NULL: nothing, a scratch file */
	char *repository;
	char *tag;
	char *detail;  /* the kind's: a platform's name */
	bool in_image; /* its name says nothing of the tag */
};

/* What has been written. */
struct write_content {
	const char *name;
	const char *type; /* an artifact's, which the writer gave it, or "" */
	struct spool *spool;
	const struct digest *pushed; /* NULL where kind is no archive */
};

/* Appends the whole file to out; -EFBIG past its limit. */
int content_read(const struct write_content *file, struct buf *out,
    struct err *err);

extern const struct write_kind write_archive;
extern const struct write_kind write_layer;    /* put on top of the image */
extern const struct write_kind write_config;   /* in place of the config */
extern const struct write_kind write_manifest; /* of the platform's image */
extern const struct write_kind write_index;    /* of the tag itself */
extern const struct write_kind write_platform; /* an archive; detail says of
						  * which platform */

/* What a file of that name becomes that is written, or moved, into a tag's
 * directory; NULL: nothing, it is a scratch file. */
const struct write_kind *write_kind_of_part(const char *name);

void intent_release(struct write_intent *intent);
int intent_copy(const struct write_intent *from, struct write_intent *out,
    struct err *err);

/* Makes one, of copies. */
int intent_set(struct write_intent *out, struct mount_source *source,
    const struct write_kind *kind, const char *repository, const char *tag,
    const char *detail, struct err *err);

/* Of a file of that name in the directory; -EPERM where no file can be. */
int write_intent(struct node *dir, const char *name, struct write_intent *out,
    struct err *err);

#endif
