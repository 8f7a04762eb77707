/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories of images that are copied file by file: by cp -r, rsync -a, tar,
 * a file manager. What they copy into is a directory that mkdir has made in a
 * repository, and the image is the image.tar among the files: that one is
 * pushed (or copied within the registry) as the tag that the directory is
 * called. All other parts of an image are taken, and kept beside (scratch.h)
 * until the copy is over; its manifests and its config are compared.
 *
 *	mkdir D         a repository to be, or a mirror: nobody knows
 *	lookup D/config.json (or another file of an image)     a mirror
 *	mkdir D/rootfs (or another part), by the maker of D     the same
 *	image.tar is complete in D                              done: the tag
 *	the program that wrote it has ended                     forgotten
 *
 * Before that, `layers` and `rootfs` are names of repositories as others are.
 * After D is done it is the image's directory for all but the program that
 * copies: parts may be to come, which it makes and must not be told to be
 * there. Where the program ends and no image.tar has come, the log says so: D
 * stays as it is, with what was copied, until somebody brings image.tar or
 * removes it.
 */
#ifndef FS_MIRROR_H
#define FS_MIRROR_H

#include <stdbool.h>

#include "base/err.h"
#include "grammar/image_parts.h"
#include "node/node.h"
#include "oci/digest.h"

struct mirrors;
struct mount_source;

/* Those of a mount. NULL: out of memory, err filled. */
struct mirrors *mirrors_new(struct err *err);
/* Forgets those that are done, with what is kept beside. */
void mirrors_end(struct mount_source *source);
void mirrors_free(struct mirrors *mirrors);

/* A name is looked up in a directory of repositories: it may become a mirror.
 */
void mirror_begin(struct node *dir, const char *name);

/* A directory is made in a directory of repositories: likewise. A part alone
 * (cp -r 1.0/rootfs 2.0/) makes no image, so it has to be a program that copies
 * into a directory of its own, or unpacks. */
void mirror_begin_by_mkdir(struct node *dir, const char *name);

/* The directory has been made: it is new, whatever there was of its name. */
void mirror_made(struct node *dir);

/* The attributes of a directory of repositories are set, as copies do at their
 * end: -EIO for a mirror without image.tar that the caller has written. */
int mirror_check_end(const struct node *dir, struct err *err);

/* Whether a directory of repositories is one, and the name a part of images. */
bool mirror_has_part(const struct node *dir, const char *name);

/* Whether there is one at a path, to anybody. */
bool mirror_exists(struct mount_source *source, const char *repository);

/* Whether a path, which is no repository's, is a mirror to the caller. */
bool mirror_is_at(struct mount_source *source, const char *repository);

/* Where in a mirror's path its tag begins; NULL: it has none, and can be no
 * mirror. */
const char *mirror_tag(const char *path);

/* Whether a tag's directory can be made under that name in the repository. */
bool mirror_can_be(const char *repository, const char *name);

/* mkdir of a part of images in a mirror. */
int mirror_mkdir(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err);

/*
 * Whether the directory is a part of an image that the caller copies within the
 * mount: it has copied the manifest of that very image to a mirror. What is in
 * the part need not be known then, since the registry copies the image.
 */
bool mirror_is_copied(const struct node *dir);

/* The same of a part that the caller, which is cp, has just made in the mirror,
 * and now lists to copy what is in it. True once for each part. */
bool mirror_hides(const struct node *dir);

/* Bytes of that digest have been copied to the file that is that part. */
void mirror_note_part(struct mount_source *source, const char *path,
    enum image_part_id part, const struct digest *digest);

/* The image that it has become; false: it has not yet. */
bool mirror_image(struct mount_source *source, const char *path,
    struct digest *out);

/* image.tar is complete, by the caller. */
void mirror_done(struct mount_source *source, const char *path,
    const struct digest *image);

#endif
