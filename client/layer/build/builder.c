/* SPDX-License-Identifier: Apache-2.0 */
/* Taking the entries of a layer one after the other. */
#include "builder.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/log.h"
#include "builder_state.h"
#include "index/format.h"
#include "index/window.h"
#include "paths.h"

enum { LEFT_OUT_LOGGED = 10 };

static const char whiteout_opaque[] = ".wh..wh..opq";
static const char whiteout_prefix[] = ".wh.";

static void note_oddity(struct builder *builder, const struct tar_entry *entry,
    const char *why)
{
	if (!builder->oddity.code)
		err_set(&builder->oddity, EINVAL,
		    "the entry %s cannot be unpacked: %s", entry->name, why);
}

/* Says what is missing from the tree, and why; but not a million times. */
static int left_out(struct builder *builder, const struct tar_entry *entry,
    const char *why)
{
	char name[128];

	note_oddity(builder, entry, why);
	if (builder->left_out++ < LEFT_OUT_LOGGED) {
		err_clean(name, sizeof(name), entry->name, strlen(entry->name));
		log_warn("layer entry %s is left out: %s", name, why);
	}
	return 0;
}

static int add_xattr(struct buf *block, const struct tar_xattr *xattr,
    struct err *err)
{
	uint32_t len = (uint32_t)xattr->len;
	int r = buf_add(block, xattr->name, strlen(xattr->name) + 1, err);

	if (r == 0)
		r = buf_add(block, &len, sizeof(len), err);
	if (r == 0)
		r = buf_add(block, xattr->value, xattr->len, err);
	return r;
}

static int keep_xattrs(struct builder *builder, const struct tar_entry *entry,
    struct layer_entry *out, struct err *err)
{
	AUTO_BUF struct buf block = BUF_INIT(2 * TAR_EXTENDED_MAX);
	int r = 0;

	out->xattrs = HEAP_NOTHING;
	if (entry->xattr_count == 0)
		return 0;
	for (size_t i = 0; r == 0 && i < entry->xattr_count; i++) {
		const char *name = entry->xattrs[i].name;

		r = add_xattr(&block, &entry->xattrs[i], err);
		if (!strncmp(name, "system.posix_acl_", 17))
			builder->has_acls = true;
		if (layer_xattr_is_hidden(name))
			out->flags |= LAYER_HAS_HIDDEN;
	}
	return r < 0 ? r
		     : builder_keep(builder, block.data, block.len,
			   &out->xattrs, err);
}

static int keep_extents(struct builder *builder, const struct tar_entry *entry,
    struct layer_entry *out, struct err *err)
{
	size_t ignored;
	int r = 0;

	out->first_extent =
	    (uint32_t)(builder->extents.len / sizeof(struct layer_extent));
	for (size_t i = 0; r == 0 && i < entry->extent_count; i++) {
		struct layer_extent extent = {.offset =
						  entry->extents[i].offset,
		    .size = entry->extents[i].size};

		r = pile_add(&builder->extents, &extent, sizeof(extent),
		    &ignored, err);
	}
	out->extent_count = (uint32_t)entry->extent_count;
	return r;
}

/* With its NUL. */
static int keep_target(struct builder *builder, const char *target,
    uint32_t *out, struct err *err)
{
	return builder_keep(builder, target, strlen(target) + 1, out, err);
}

/* chown(2) does not change the owner of what an engine has made to this one. */
static uint32_t owner(uint32_t id)
{
	return id == UINT32_MAX ? 0 : id;
}

static uint32_t type_bits(enum tar_type type)
{
	switch (type) {
	case TAR_SYMLINK:
		return S_IFLNK;
	case TAR_CHAR:
		return S_IFCHR;
	case TAR_BLOCK_DEVICE:
		return S_IFBLK;
	case TAR_DIRECTORY:
		return S_IFDIR;
	case TAR_FIFO:
		return S_IFIFO;
	case TAR_FILE:
	case TAR_HARDLINK:
		break;
	}
	return S_IFREG;
}

/* All of an entry but where it is in the tree. */
static int describe(struct builder *builder, const struct tar_entry *entry,
    struct layer_entry *out, struct err *err)
{
	int r;

	*out = (struct layer_entry){
	    .data = entry->offset,
	    .size = entry->file_size,
	    .mtime = entry->mtime,
	    .mtime_nanos = entry->mtime_nanos,
	    .mode = type_bits(entry->type) | entry->mode,
	    .uid = owner(entry->uid),
	    .gid = owner(entry->gid),
	};
	r = keep_xattrs(builder, entry, out, err);
	if (r < 0)
		return r;
	switch (entry->type) {
	case TAR_FILE:
		if (!entry->is_sparse)
			return 0;
		out->flags |= LAYER_SPARSE;
		return keep_extents(builder, entry, out, err);
	case TAR_SYMLINK:
		out->mode = S_IFLNK | 0777;
		out->size = strlen(entry->link);
		return keep_target(builder, entry->link, &out->target, err);
	case TAR_CHAR:
	case TAR_BLOCK_DEVICE:
		out->data = makedev(entry->dev_major, entry->dev_minor);
		break;
	case TAR_HARDLINK:
	case TAR_DIRECTORY:
	case TAR_FIFO:
		break;
	}
	return 0;
}

/* A directory that is there takes over what another entry says of it. */
static void describe_again(struct builder *builder, uint32_t number,
    const struct layer_entry *entry)
{
	struct layer_entry *dir = builder_entry(builder, number), was = *dir;

	builder->engines_refuse |= !(was.flags & LAYER_IMPLIED);
	*dir = *entry;
	dir->name = was.name;
	dir->parent = was.parent;
	dir->link = was.link;
	dir->flags |= was.flags & ~(uint32_t)(LAYER_IMPLIED | LAYER_HAS_HIDDEN);
}

/* Where a hard link leads: 1 with the entry, 0 where the layer has none. */
static int find_target(struct builder *builder, const char *path, uint32_t *out,
    struct err *err)
{
	struct path_place place;
	int r = paths_follow(builder, path, false, 0, &place, err);

	if (r <= 0)
		return r;
	if (!*place.name) {
		*out = place.dir;
		return 1;
	}
	*out = builder_child(builder, place.dir, place.name);
	return *out != LAYER_ROOT;
}

/* A hard link to what may be in a layer below, by a name as it has there. */
static int describe_dangling(struct builder *builder,
    const struct tar_entry *entry, struct layer_entry *out, struct err *err)
{
	AUTO_FREE char *path = strdup(entry->link);

	if (!path)
		return err_nomem(err);
	if (describe(builder, entry, out, err) < 0)
		return -err->code;
	paths_clean(path);
	out->flags |= LAYER_DANGLING;
	builder->has_dangling = true;
	return keep_target(builder, path, &out->target, err);
}

static int add_link(struct builder *builder, const struct tar_entry *entry,
    const struct path_place *place, struct err *err)
{
	struct layer_entry link = {.mode = S_IFREG}, *file;
	uint32_t target, added;
	int r = find_target(builder, entry->link, &target, err);

	if (r < 0)
		return r;
	if (r == 1) {
		if (S_ISDIR(builder_entry(builder, target)->mode))
			return left_out(builder, entry,
			    "it is a hard link to a directory");
		if (target == builder_child(builder, place->dir, place->name)) {
			builder->engines_refuse = true; /* to itself */
			return 0;
		}
		file = builder_entry(builder,
		    builder_entry(builder, target)->link);
		file->flags |= ENTRY_LINKED;
		link = *builder_entry(builder, target);
		link.flags &= ~(uint32_t)(ENTRY_REPLACED | ENTRY_LINKED);
	} else {
		r = describe_dangling(builder, entry, &link, err);
	}
	if (r >= 0)
		r = builder_append(builder, place->dir, place->name, &link,
		    &added, err);
	if (r == 0 && !(link.flags & LAYER_DANGLING))
		builder_entry(builder, added)->link = link.link;
	return r;
}

static int add_other(struct builder *builder, const struct tar_entry *entry,
    const struct path_place *place, struct err *err)
{
	uint32_t before = *place->name
			      ? builder_child(builder, place->dir, place->name)
			      : place->dir;
	struct layer_entry described;
	uint32_t added;
	int r;

	if (!*place->name && entry->type != TAR_DIRECTORY)
		return left_out(builder, entry,
		    "it is not a directory, but has the name of the root");
	r = describe(builder, entry, &described, err);
	if (r < 0)
		return r;
	if (entry->type == TAR_DIRECTORY &&
	    (before != LAYER_ROOT || !*place->name) &&
	    S_ISDIR(builder_entry(builder, before)->mode)) {
		describe_again(builder, before, &described);
		return 0;
	}
	return builder_append(builder, place->dir, place->name, &described,
	    &added, err);
}

/* A whiteout is of what layers below have; but most engines take it for one of
 * what they have unpacked, too. */
static void note_whiteout(struct builder *builder,
    const struct path_place *place)
{
	size_t len = strlen(whiteout_prefix);

	if (strncmp(place->name, whiteout_prefix, len) != 0)
		return;
	builder->has_whiteouts = true;
	builder->engines_refuse |=
	    builder_child(builder, place->dir, place->name + len) != LAYER_ROOT;
}

int builder_add(struct builder *builder, const struct tar_entry *entry,
    struct err *err)
{
	struct path_place place;
	int r;

	builder->over_file = false;
	r = paths_follow(builder, entry->name, true, entry->mtime, &place, err);
	if (r < 0)
		return r;
	if (builder->over_file)
		note_oddity(builder, entry, "its parent is not a directory");
	if (r == 0)
		return left_out(builder, entry, "its name leads nowhere");
	note_whiteout(builder, &place);
	if (!strcmp(place.name, whiteout_opaque))
		builder_entry(builder, place.dir)->flags |= LAYER_OPAQUE;
	if (entry->type == TAR_HARDLINK && *place.name)
		return add_link(builder, entry, &place, err);
	return add_other(builder, entry, &place, err);
}

int builder_add_span(struct builder *builder, const struct layer_span *span,
    const void *window, size_t window_len, struct err *err)
{
	AUTO_BUF struct buf packed = BUF_INIT(BLOCK_MAX);
	struct layer_span added = *span;
	size_t ignored;
	int r = 0;

	added.window = HEAP_NOTHING;
	if (window_len > 0)
		r = window_pack(window, window_len, &packed, err);
	if (r == 0 && window_len > 0)
		r = builder_keep(builder, packed.data, packed.len,
		    &added.window, err);
	return r < 0 ? r
		     : pile_add(&builder->spans, &added, sizeof(added),
			   &ignored, err);
}
