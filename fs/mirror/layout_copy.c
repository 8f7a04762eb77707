/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of an image layout, file by file. */
#include "layout_copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "mirror.h"
#include "node/mount.h"
#include "node/nodes.h"
#include "oci/digest.h"
#include "scratch/scratch.h"
#include "tag/made.h"
#include "tag/repository.h"

#define MARKER "oci-layout"
#define BLOBS "blobs"

/* Cuts the last component off, if it is that one. */
static bool cut(char *path, const char *last)
{
	size_t len = strlen(path), tail = strlen(last);

	if (len <= tail + 1 || path[len - tail - 1] != '/' ||
	    strcmp(path + len - tail, last) != 0)
		return false;
	path[len - tail - 1] = '\0';
	return true;
}

static bool is_digest(const char *algorithm, const char *hex)
{
	char text[DIGEST_TEXT_SIZE];
	struct err none = ERR_INIT;
	struct digest digest;

	return (size_t)snprintf(text, sizeof(text), "%s:%s", algorithm, hex) <
		   sizeof(text) &&
	       digest_parse(&digest, text, &none) == 0;
}

/* Cuts a directory's path down to that of the layout that the file is of: false
 * where it is of none. */
static bool cut_to_layout(char *path, const char *name)
{
	static const char *const algorithms[] = {"sha256", "sha512"};

	if (strcmp(name, MARKER) == 0)
		return true;
	for (size_t i = 0; i < 2; i++)
		if (is_digest(algorithms[i], name) && cut(path, algorithms[i]))
			return cut(path, BLOBS);
	return false;
}

/* What the copy has made so far. */
static int remove_made(struct mount_source *source, const char *layout,
    struct err *err)
{
	AUTO_FREE char *blobs = repo_path(layout, BLOBS);
	AUTO_FREE char *sha256 = blobs ? repo_path(blobs, "sha256") : NULL;
	AUTO_FREE char *sha512 = blobs ? repo_path(blobs, "sha512") : NULL;

	if (!sha256 || !sha512)
		return err_nomem(err);
	/* The index.json that came before. */
	if (mirror_exists(source, layout))
		scratch_forget(source, layout);
	made_remove(source->made, sha256);
	made_remove(source->made, sha512);
	made_remove(source->made, blobs);
	made_remove(source->made, layout);
	return 0;
}

int layout_copy_check_file(const struct node *dir, const char *name,
    struct err *err)
{
	struct mount_source *source = dir->source;
	const char *path = repo_node_repository(dir);
	AUTO_FREE char *layout = strdup(path);
	int r;

	if (!layout)
		return err_nomem(err);
	if (!made_has(source->made, path) || !cut_to_layout(layout, name))
		return 0;
	r = remove_made(source, layout, err);
	return r < 0 ? r
		     : err_set(err, EPERM,
			   "this is part of an image layout, which makes no "
			   "image file by file: copy the layout to a scratch "
			   "directory and rename that to a tag (cp -r LAYOUT "
			   "REPOSITORY/.new; mv REPOSITORY/.new "
			   "REPOSITORY/TAG), or copy its images (skopeo copy "
			   "oci:LAYOUT:TAG oci-archive:REPOSITORY/TAG.tar)");
}
