/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the names of an entry's members mean. Each is a number or a string, and
 * a string is taken apart at once.
 */
#include "entry.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

/* 0001-01-01T00:00:00Z, which is how Go prints a time that was not set. */
#define GO_ZERO_TIME INT64_C(-62135596800)

/* text: with a NUL behind it and none in it, TAR_NAME_MAX bytes at most. */
typedef int set_text_fn(struct toc_entry *entry, const char *text,
    struct err *err);

static int set_type(struct toc_entry *entry, const char *text, struct err *err)
{
	static const struct {
		const char *name;
		enum tar_type type;
	} types[] = {
	    {"reg", TAR_FILE},
	    {"dir", TAR_DIRECTORY},
	    {"symlink", TAR_SYMLINK},
	    {"hardlink", TAR_HARDLINK},
	    {"char", TAR_CHAR},
	    {"block", TAR_BLOCK_DEVICE},
	    {"fifo", TAR_FIFO},
	};

	entry->is_chunk = strcmp(text, "chunk") == 0;
	entry->type = 0;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(text, types[i].name) == 0)
			entry->type = types[i].type;
	if (!entry->type && !entry->is_chunk)
		return err_set(err, EINVAL, "unknown type \"%.32s\"", text);
	return 0;
}

static int set_name(struct toc_entry *entry, const char *text, struct err *err)
{
	(void)err;
	memcpy(entry->name, text, strlen(text) + 1);
	return 0;
}

static int set_link(struct toc_entry *entry, const char *text, struct err *err)
{
	(void)err;
	memcpy(entry->link, text, strlen(text) + 1);
	return 0;
}

static int set_mtime(struct toc_entry *entry, const char *text, struct err *err)
{
	const char *p = text;

	entry->mtime = 0;
	entry->mtime_nanos = 0;
	if (!*text)
		return 0;
	if (!parse_rfc3339(&p, &entry->mtime, &entry->mtime_nanos) || *p)
		return err_set(err, EINVAL, "\"%.64s\" is no time", text);
	if (entry->mtime == GO_ZERO_TIME)
		entry->mtime = 0;
	return 0;
}

static int set_any_digest(struct digest *digest, const char *text,
    struct err *err)
{
	*digest = (struct digest){0};
	return *text ? digest_parse(digest, text, err) : 0;
}

static int set_digest(struct toc_entry *entry, const char *text,
    struct err *err)
{
	return set_any_digest(&entry->digest, text, err);
}

static int set_chunk_digest(struct toc_entry *entry, const char *text,
    struct err *err)
{
	return set_any_digest(&entry->chunk_digest, text, err);
}

static int set_chunk_type(struct toc_entry *entry, const char *text,
    struct err *err)
{
	entry->is_zeros = strcmp(text, "zeros") == 0;
	if (*text && !entry->is_zeros)
		return err_set(err, EINVAL, "unknown type of chunk \"%.32s\"",
		    text);
	return 0;
}

struct toc_member {
	const char *name;
	size_t number;     /* where in the entry the number is, */
	set_text_fn *text; /* or what takes the string */
};

/* clang-format off */
#define AT(member) offsetof(struct toc_entry, member), NULL
/* clang-format on */

static const struct toc_member members[] = {
    {"name", 0, set_name},
    {"type", 0, set_type},
    {"size", AT(size)},
    {"modtime", 0, set_mtime},
    {"linkName", 0, set_link},
    {"mode", AT(mode)},
    {"uid", AT(uid)},
    {"gid", AT(gid)},
    {"devMajor", AT(dev_major)},
    {"devMinor", AT(dev_minor)},
    {"digest", 0, set_digest},
    {"offset", AT(offset)},
    {"endOffset", AT(end_offset)},
    {"innerOffset", AT(inner_offset)},
    {"chunkOffset", AT(chunk_offset)},
    {"chunkSize", AT(chunk_size)},
    {"chunkDigest", 0, set_chunk_digest},
    {"chunkType", 0, set_chunk_type},
};

void toc_entry_reset(struct toc_entry *entry)
{
	/* Not all of the names, which are 8 KiB. */
	memset(entry, 0, offsetof(struct toc_entry, name));
	entry->name[0] = entry->link[0] = '\0';
}

const struct toc_member *toc_member_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		if (strlen(members[i].name) == len &&
		    memcmp(members[i].name, name, len) == 0)
			return &members[i];
	return NULL;
}

int toc_member_wrong_type(const struct toc_member *member, struct err *err)
{
	return err_set(err, EINVAL, "a wrong type of \"%s\"", member->name);
}

int toc_member_set_number(const struct toc_member *member,
    struct toc_entry *entry, const char *text, size_t len, struct err *err)
{
	uint64_t *number = (void *)((char *)entry + member->number);
	char copy[24] = ""; /* 64 bits in decimal */
	const char *p = copy;
	bool negative;

	if (member->text)
		return toc_member_wrong_type(member, err);
	if (len < sizeof(copy))
		memcpy(copy, text, len);
	negative = parse_literal(&p, "-");
	if (!parse_u64(&p, INT64_MAX, number) || *p)
		return err_set(err, EINVAL, "\"%s\" is no 64-bit integer",
		    member->name);
	if (negative)
		*number = -*number;
	return 0;
}

int toc_member_set_text(const struct toc_member *member,
    struct toc_entry *entry, const char *text, size_t len, struct err *err)
{
	char copy[TAR_NAME_MAX + 1];

	if (!member->text)
		return toc_member_wrong_type(member, err);
	if (len > TAR_NAME_MAX)
		return err_set(err, EINVAL, "too long a \"%s\"", member->name);
	if (memchr(text, '\0', len))
		return err_set(err, EINVAL, "a NUL in \"%s\"", member->name);
	memcpy(copy, text, len);
	copy[len] = '\0';
	return member->text(entry, copy, err);
}
