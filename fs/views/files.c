/* SPDX-License-Identifier: Apache-2.0 */
/* files/ of an artifact, and the directories in it that titles name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/strf.h"
#include "grammar/image_parts.h"
#include "makers.h"
#include "node/image_info.h"
#include "node/key.h"
#include "oci/artifact_files.h"

struct files_node {
	struct node node;
	struct image *image;
	struct artifact_files *files;
	char *path; /* in files/; "" is itself */
};

static struct files_node *to_files(struct node *node)
{
	return container_of(node, struct files_node, node);
}

/* Takes key and files. */
static int files_dir_node(struct node *parent, struct image *image,
    struct artifact_files *files, const char *name, const char *path, char *key,
    struct node **out, struct err *err)
{
	struct files_node *made = calloc(1, sizeof(*made));

	if (!made) {
		artifact_files_put(files);
		free(key);
		return err_nomem(err);
	}
	made->image = image_get(image);
	made->files = files;
	made->path = strdup(path);
	node_init_in(&made->node, parent, name, NODE_FILES, key, TTL_FOREVER,
	    TTL_FOREVER);
	if (!made->path) {
		node_discard(&made->node);
		return err_nomem(err);
	}
	*out = node_add(parent->mount->nodes, &made->node, err);
	return *out ? 0 : -err->code;
}

int files_node(struct node *parent, struct image *image, struct node **out,
    struct err *err)
{
	struct artifact_files *files = NULL;
	int r = artifact_files_new(image->manifest, &files, err);

	return r < 0 ? r
		     : files_dir_node(parent, image, files,
			   image_parts[IMAGE_FILES].name, "",
			   key_of_part(parent, image_parts[IMAGE_FILES].name,
			       &image->digest),
			   out, err);
}

static void files_free(struct node *node)
{
	struct files_node *self = to_files(node);

	image_put(self->image);
	artifact_files_put(self->files);
	free(self->path);
	free(self);
}

static int files_stat(struct node *node, struct stat *out, struct err *err)
{
	(void)err;
	mount_stat_dir(node->mount, node, out);
	image_stat_time(node, to_files(node)->image, out);
	return 0;
}

/* What stands at a path of files/, as `name` in one of its directories. */
static int file_node(struct files_node *dir, const char *name,
    const struct artifact_file *file, struct node **out, struct err *err)
{
	struct node *node = &dir->node;

	switch (file->kind) {
	case ARTIFACT_FILE:
		return blob_node(node, name, dir->image,
		    &dir->image->manifest->entries[file->entry], out, err);
	case ARTIFACT_PACKED:
		return packed_tree_node(node, name, dir->image, file->entry,
		    file->path, out, err);
	case ARTIFACT_DIRECTORY:
		break;
	}
	return files_dir_node(node, dir->image, artifact_files_get(dir->files),
	    name, file->path, key_of_child(node, name), out, err);
}

static int files_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	struct files_node *self = to_files(dir);
	AUTO_FREE char *path =
	    *self->path ? strf("%s/%s", self->path, name) : strdup(name);
	const struct artifact_file *file;

	if (!path)
		return err_nomem(err);
	file = artifact_files_find(self->files, path);
	return file ? file_node(self, name, file, out, err)
		    : err_set(err, ENOENT, "no such name");
}

static int list_file(struct files_node *dir, const struct artifact_file *file,
    struct dirlist *out, struct err *err)
{
	const char *slash = strrchr(file->path, '/');
	const char *name = slash ? slash + 1 : file->path;
	CLEANUP(node_put_p) struct node *node = NULL;
	int r = file_node(dir, name, file, &node, err);

	return r < 0 ? r
		     : dirlist_add(out, name, strlen(name),
			   file->kind == ARTIFACT_FILE ? S_IFREG : S_IFDIR,
			   node->ino, err);
}

static int files_list(struct node *dir, struct dirlist *out, struct err *err)
{
	struct files_node *self = to_files(dir);
	const struct artifact_file *file = NULL;
	int r = 0;

	while (r == 0 &&
	       (file = artifact_files_next(self->files, self->path, file)))
		r = list_file(self, file, out, err);
	return r;
}

static const struct image *part_of(const struct node *dir, const char **name)
{
	const struct files_node *self =
	    container_of(dir, const struct files_node, node);

	*name = image_parts[IMAGE_FILES].name;
	return *self->path ? NULL : self->image;
}

const struct view_ops view_files = {
    .stat = files_stat,
    .free = files_free,
    .lookup = files_lookup,
    .list = files_list,
    .part_of = part_of,
};
