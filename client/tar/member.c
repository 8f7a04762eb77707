/* SPDX-License-Identifier: Apache-2.0 */
/* What headers say of an entry, and which of them wins. */
#include "member.h"

#include <errno.h>
#include <string.h>

void member_init(struct member *member)
{
	*member = (struct member){
	    .pax_text = BUF_INIT(TAR_EXTENDED_MAX),
	    .pax = PAX_INIT,
	    /* With the NUL that GNU tar writes after them. */
	    .long_name = BUF_INIT(TAR_NAME_MAX + 1),
	    .long_link = BUF_INIT(TAR_NAME_MAX + 1),
	};
	sparse_init(&member->map);
}

void member_release(struct member *member)
{
	sparse_release(&member->map);
	buf_release(&member->long_link);
	buf_release(&member->long_name);
	pax_release(&member->pax);
	buf_release(&member->pax_text);
}

void member_forget(struct member *member)
{
	pax_release(&member->pax);
	buf_reset(&member->pax_text);
	buf_reset(&member->long_name);
	buf_reset(&member->long_link);
}

int member_parse_pax(struct member *member, struct err *err)
{
	struct buf *text = &member->pax_text;

	pax_release(&member->pax);
	/* Parsing needs the NUL after the text, which an empty one lacks. */
	return text->len > 0
		   ? pax_parse(text->data, text->len, &member->pax, err)
		   : 0;
}

/* The GNU headers win over pax, as in Go. */
static const char *plain_name(const struct member *member)
{
	if (*buf_str(&member->long_name))
		return member->long_name.data;
	return member->pax.name ? member->pax.name : member->block.name;
}

static bool is_pax_sparse(const struct member *member)
{
	return member->sparse == SPARSE_PAX_0 || member->sparse == SPARSE_PAX_1;
}

/* A sparse file's plain name is for those that do not know of sparse files. */
static const char *entry_name(const struct member *member)
{
	if (is_pax_sparse(member) && member->pax.sparse.name)
		return member->pax.sparse.name;
	return plain_name(member);
}

static const char *entry_link(const struct member *member)
{
	if (*buf_str(&member->long_link))
		return member->long_link.data;
	return member->pax.link ? member->pax.link : member->block.link;
}

bool member_is_entry(const struct member *member)
{
	return member->block.type != TYPE_GNU_VOLUME &&
	       member->block.type != TYPE_SOLARIS_ACL;
}

/* Of an entry. A type that nobody knows is a file's. */
static enum tar_type entry_type(const struct member *member)
{
	const char *name = plain_name(member);
	size_t len = strlen(name);
	char type = member->block.type;

	if (type > TAR_FILE && type <= TAR_FIFO)
		return (enum tar_type)type;
	if (type == TYPE_GNU_DUMPDIR)
		return TAR_DIRECTORY;
	if (type == TYPE_OLD_FILE && len > 0 && name[len - 1] == '/')
		return TAR_DIRECTORY; /* v7 has no type for them */
	return TAR_FILE;
}

bool member_has_data(const struct member *member)
{
	return member_is_entry(member) && entry_type(member) == TAR_FILE;
}

/* Where a size means that so much follows. */
static bool has_body(const struct member *member)
{
	return !member_is_entry(member) ||
	       member->block.type == TYPE_GNU_DUMPDIR ||
	       entry_type(member) == TAR_FILE;
}

/* With the map, which in version 1.0 is the first part of the body. */
static int64_t body_size(const struct member *member)
{
	if (!has_body(member))
		return 0;
	return member->pax.has_size ? member->pax.size : member->block.size;
}

int64_t member_body_size(const struct member *member)
{
	return body_size(member) - (int64_t)member->map.text.len;
}

static int64_t data_size(const struct member *member)
{
	return member_has_data(member) ? member_body_size(member) : 0;
}

static int64_t file_size(const struct member *member)
{
	const struct pax_sparse *said = &member->pax.sparse;

	if (member->sparse == SPARSE_GNU)
		return member->map.file_size;
	if (is_pax_sparse(member) && said->has_size)
		return said->size;
	if (is_pax_sparse(member) && said->has_real_size)
		return said->real_size;
	return member_has_data(member) ? body_size(member) : 0;
}

static enum sparse_version sparse_version(const struct member *member)
{
	enum sparse_version version = pax_sparse_version(&member->pax);

	if (member->block.type == TYPE_GNU_SPARSE)
		return SPARSE_GNU;
	/* An unknown version is of interest in files only. */
	if (version == SPARSE_UNKNOWN && !member_has_data(member))
		return SPARSE_NOT;
	return version;
}

/* Passes on what adding to the map said, if there can be another block. */
static int more_map(const struct member *member, int r, struct err *err)
{
	if (r > 0 && member->sparse == SPARSE_PAX_1 &&
	    member_body_size(member) < TAR_BLOCK)
		return err_set(err, EINVAL,
		    "the sparse file's map is incomplete");
	return r;
}

int member_begin(struct member *member, const uint8_t *data, struct err *err)
{
	const struct pax_sparse *said = &member->pax.sparse;
	struct sparse_map *map = &member->map;

	sparse_reset(map);
	member->sparse = sparse_version(member);
	if (is_pax_sparse(member) && !member_has_data(member))
		return err_set(err, EINVAL,
		    "the sparse file is not a regular file");
	switch (member->sparse) {
	case SPARSE_NOT:
		break;
	case SPARSE_UNKNOWN:
		return sparse_add_all(map, body_size(member), err);
	case SPARSE_GNU:
		if (!member->block.is_gnu)
			return err_set(err, EINVAL,
			    "the sparse file is not in a GNU tar");
		return sparse_add_header(map, data, err);
	case SPARSE_PAX_0:
		return sparse_add_list(map, said->has_count ? said->count : -1,
		    pax_sparse_map(&member->pax), err);
	case SPARSE_PAX_1:
		return more_map(member, 1, err);
	}
	return 0;
}

int member_add_map(struct member *member, const uint8_t *data, struct err *err)
{
	if (member->sparse == SPARSE_GNU)
		return sparse_add_block(&member->map, data, err);
	return more_map(member, sparse_add_lines(&member->map, data, err), err);
}

int member_check(const struct member *member, struct err *err)
{
	if (strlen(entry_name(member)) > TAR_NAME_MAX ||
	    strlen(entry_link(member)) > TAR_NAME_MAX)
		return err_set(err, EINVAL, "the entry's name is too long");
	if (member->sparse == SPARSE_NOT)
		return 0;
	return sparse_check(&member->map, file_size(member),
	    (uint64_t)data_size(member), err);
}

static int64_t said_uid(const struct member *member)
{
	return member->pax.has_uid ? member->pax.uid : member->block.uid;
}

static int64_t said_gid(const struct member *member)
{
	return member->pax.has_gid ? member->pax.gid : member->block.gid;
}

static bool is_exact(const struct member *member)
{
	int64_t size =
	    member->pax.has_size ? member->pax.size : member->block.size;

	return said_uid(member) == (uint32_t)said_uid(member) &&
	       said_gid(member) == (uint32_t)said_gid(member) &&
	       member->block.dev_major == (uint32_t)member->block.dev_major &&
	       member->block.dev_minor == (uint32_t)member->block.dev_minor &&
	       member->block.mode >= 0 &&
	       (size == 0 || member_has_data(member)) &&
	       !member->block.has_times;
}

struct tar_entry member_entry(const struct member *member)
{
	const struct block *block = &member->block;
	const struct pax *pax = &member->pax;
	const struct buf *extents = &member->map.extents;
	const void *extent_data = extents->len > 0 ? extents->data : NULL;
	const void *xattr_data = pax->xattrs.len > 0 ? pax->xattrs.data : NULL;

	/* Owners are cut to what chown(2) takes, as engines do it: a negative
	 * one is somebody's "nobody". */
	return (struct tar_entry){
	    .type = entry_type(member),
	    .name = entry_name(member),
	    .link = entry_link(member),
	    .size = (uint64_t)data_size(member),
	    .file_size = (uint64_t)file_size(member),
	    .mode = (uint32_t)block->mode & 07777,
	    .raw_mode = block->mode,
	    .uid = (uint32_t)said_uid(member),
	    .gid = (uint32_t)said_gid(member),
	    .mtime = pax->has_mtime ? pax->mtime : block->mtime,
	    .mtime_nanos = pax->mtime_nanos,
	    .atime = pax->atime,
	    .ctime = pax->ctime,
	    .is_exact = is_exact(member),
	    .dev_major = (uint32_t)block->dev_major,
	    .dev_minor = (uint32_t)block->dev_minor,
	    .is_sparse = member->sparse != SPARSE_NOT,
	    .extents = extent_data,
	    .extent_count = extents->len / sizeof(struct tar_extent),
	    .xattrs = xattr_data,
	    .xattr_count = pax->xattrs.len / sizeof(struct tar_xattr),
	};
}
