/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file becomes that is written into a directory of the mount: that
 * follows from its name and the directory, whose view says it (view.h).
 */
#ifndef FS_TARGET_H
#define FS_TARGET_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "image/push.h"
#include "mount_source.h"
#include "node.h"

struct target_file;
struct upload_target;

/* One way in which a written file changes the registry. */
struct upload_kind {
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
	int (*apply)(const struct upload_target *target,
	    const struct target_file *file, struct err *err);
};

struct upload_target {
	struct mount_source *source;    /* whose repository it is */
	const struct upload_kind *kind; /* NULL: nothing, a scratch file */
	char *repository;
	char *tag;
	char *detail;  /* the kind's: a platform's name */
	bool in_image; /* its name says nothing of the tag */
};

/* What has been written. */
struct target_file {
	const char *name;
	const char *type; /* an artifact's, which the writer gave it, or "" */
	struct spool *spool;
	const struct digest *pushed; /* NULL where kind is no archive */
};

/* Appends the whole file to out; -EFBIG past its limit. */
int target_file_read(const struct target_file *file, struct buf *out,
    struct err *err);

extern const struct upload_kind upload_archive;
extern const struct upload_kind upload_layer;    /* put on top of the image */
extern const struct upload_kind upload_config;   /* in place of the config */
extern const struct upload_kind upload_manifest; /* of the platform's image */
extern const struct upload_kind upload_index;    /* of the tag itself */
extern const struct upload_kind upload_platform; /* an archive; detail says of
						  * which platform */

/* What a file of that name becomes that is written, or moved, into a tag's
 * directory; NULL: nothing, it is a scratch file. */
const struct upload_kind *upload_kind_of_part(const char *name);

void target_release(struct upload_target *target);
int target_copy(const struct upload_target *from, struct upload_target *out,
    struct err *err);

/* Makes one, of copies. */
int target_set(struct upload_target *out, struct mount_source *source,
    const struct upload_kind *kind, const char *repository, const char *tag,
    const char *detail, struct err *err);

/* Of a file of that name in the directory; -EPERM where no file can be. */
int target_find(struct node *dir, const char *name, struct upload_target *out,
    struct err *err);

#endif
