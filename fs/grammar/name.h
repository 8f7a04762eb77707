/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path grammar's names: what one path component can mean in a directory
 * that is a namespace, a repository, or both. Pure: nothing is asked here.
 */
#ifndef FS_NAME_H
#define FS_NAME_H

#include <stdbool.h>

#include "oci/digest.h"
#include "oci/reference.h"

enum name_form {
	NAME_SCRATCH,   /* can be neither a repository nor an image */
	NAME_PLAIN,     /* a repository's component, a tag, or either */
	NAME_REFERENCE, /* ":TAG", "@DIGEST", "NAME:TAG", "NAME@DIGEST" */
};

struct name {
	enum name_form form;
	bool component; /* plain: may be a repository's component */
	bool tag_ok;    /* plain: may be a tag */
	/* Reference: the component before the colon, "" if none. */
	char repository[REPOSITORY_MAX + 1];
	/* The tag; plain: the whole name where it may be one. */
	char tag[TAG_MAX + 1];
	struct digest digest; /* reference by digest, else unset */
	/* The tag that is left without an archive's ending (of a plain name or
	 * of a reference by tag); "" if it has no such ending. */
	char archive_tag[TAG_MAX + 1];
};

/* Fills *name with all that the text, one component of a path, can mean. A
 * text that means none of it is NAME_SCRATCH; nothing fails. */
void name_parse(struct name *name, const char *text);

/* An archive's ending of the text, or "". */
const char *name_ending(const char *text);

/* Whether text ends like an archive: .tar, .tgz, .tar.zst and so on. */
bool name_is_archive(const char *text);

/*
 * The tag that a file of this name becomes when it is written into a
 * repository: the name, or the reference's tag, less an archive's ending. NULL
 * where it can be none: a scratch file.
 */
const char *name_push_tag(const struct name *name);

#endif
