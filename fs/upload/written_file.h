/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are being written, or were and wait: pushes under way, scratch
 * files, failed pushes. They have a name in a directory of the mount until
 * they have become a tag (the name then is the image's) or are removed. What
 * comes of what programs do with them stands in state.h.
 *
 * What it means that one is complete is its intent's (intent.h): an archive is
 * pushed as a tag, a layer is put on an image, and so on. Scratch files have no
 * intent until they are renamed.
 */
#ifndef FS_WRITTEN_FILE_H
#define FS_WRITTEN_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "node/dirlist.h"
#include "node/node.h"
#include "node/view.h"

struct save;
struct written_file;
struct written_names;

/* The files of a mount that are being written. NULL: out of memory, err
 * filled. */
struct written_names *written_names_new(struct err *err);

/* Logs which bytes are lost with the mount, and takes all names away; to be
 * freed when there is no node any more. */
void written_names_end(struct written_names *table);
void written_names_free(struct written_names *table);

/* The node of the file of that name, if there is one: 1, 0. */
int written_names_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err);
int written_names_list(struct node *dir, struct dirlist *out, struct err *err);

/* The path of a file from the mount point, by the name under which it is
 * written: a new string, or NULL when out of memory. */
char *written_names_path(struct written_file *file);

/* Removes the name; open descriptors stay valid. False: no file that is being
 * written has the name. */
bool written_names_remove(struct node *dir, const char *name);

/* Whether a file of that name in that directory has been pushed: the name then
 * goes on being a regular file of that size, though it is not listed.
 * by_caller: by the calling program. */
bool written_names_had(struct node *dir, const char *name, uint64_t *size,
    bool *by_caller);

/* Whether the calling program has pushed the tag of that archive's name under
 * another name of its archive: 1.0.tar.gz instead of 1.0.tar, as gzip does. */
bool written_names_renew(struct node *dir, const char *name);

/* view create() of directories that hold images. -EPERM where no file can be,
 * with a sentence. */
int written_file_create(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err);

/* For view rename(): 1 if it was a file that is being written, 0 if there is
 * none of that name. To a name that pushes, this is the push. */
int written_file_rename(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err);

/* Whether a file that is being written has just the bytes of a blob: 1, 0 (also
 * where no file has that name). */
int written_file_has_bytes(struct node *dir, const char *name,
    const struct descriptor *blob, struct err *err);

/* View rename() and unlink() of directories in an image: all else stays. */
int written_file_rename_only(struct node *dir, const char *name,
    struct node *to_dir, const char *to_name, unsigned flags, struct err *err);
int written_file_unlink_only(struct node *dir, const char *name,
    struct err *err);

/* A file that is written over what is there: it has no name of its own until
 * it fails. *out is counted. */
int written_file_replacing(struct node *dir, const char *name,
    const struct write_intent *intent, struct written_file **out,
    struct err *err);

/*
 * Gives one that has just been made what its file has, an archive or bytes: it
 * is read as that, and closing it without a change changes nothing. An archive
 * is replaced as a whole only: writes into it are -EPERM until it has been cut
 * to nothing.
 */
void written_file_start_from_archive(struct written_file *file,
    struct save *save);
int written_file_start_from_bytes(struct written_file *file, const void *data,
    size_t len, struct err *err);

/* A file that is being written. */
int written_node(struct mount_source *source, struct written_file *file,
    struct node **out, struct err *err);
struct written_file *written_file_of(const struct node *node); /* borrowed */

/* As in struct view_ops. */
void written_node_free(struct node *node);

/* Counted, from any thread: the last put frees it. put of NULL does nothing. */
struct written_file *written_file_get(struct written_file *file);
void written_file_put(struct written_file *file);

DEFINE_CLEANUP(struct written_file *, written_file_put);

/* The rest is for view.c and document_view.c; errors as the view's. */
void written_file_stat(struct written_file *file, struct stat *out);
int written_file_open(struct written_file *file, int flags, struct err *err);
bool written_file_is_open(struct written_file *file);
/* Whether that was the last descriptor. */
bool written_file_close(struct written_file *file);
ssize_t written_file_read(struct written_file *file, void *data, size_t len,
    uint64_t off, struct err *err);
int written_file_write(struct written_file *file, const void *data, size_t len,
    uint64_t off, struct err *err);
/* opener: who opened the descriptor that is closed. */
int written_file_flush(struct written_file *file, pid_t opener,
    struct err *err);
/* From what an archive is read from (may be NULL), as view copy(). */
ssize_t written_file_copy(struct written_file *file, struct save *save,
    uint64_t from_off, uint64_t to_off, size_t len, struct err *err);
int written_file_setattr(struct written_file *file, const struct stat *attr,
    unsigned fields, struct err *err);

/* The artifact type that somebody gave it, into out (ARTIFACT_TYPE_SIZE bytes),
 * "" if nobody did. value NULL: it has none any more. -EINVAL. */
void written_file_type(struct written_file *file, char *out);
int written_file_set_type(struct written_file *file, const char *value,
    size_t len, struct err *err);

/* view setxattr(): of the artifact type alone. */
int written_file_setxattr(struct written_file *file, const char *name,
    const void *value, size_t len, int flags, struct err *err);

/* Why the push failed, into out (size bytes); false if it did not. */
bool written_file_error(struct written_file *file, char *out, size_t size);

/* A number of its own, for the node's key. */
unsigned long written_file_serial(const struct written_file *file);

#endif
