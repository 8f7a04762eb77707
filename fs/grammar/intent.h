/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file becomes that is written: it follows from what its directory is,
 * and from its name.
 *
 *	in             a file that is whole becomes
 *	a repository   the tag that its name says, less an archive's ending
 *	a namespace    the same; of several images each what it is called
 *	above them     each image what it is called; must end as an archive
 *	a mirror       image.tar the tag; other files of an image nothing but
 *	               what image.tar is compared with (mirror/mirror.h)
 *	an image       the part of that name, or the image where it is called
 *	               as an archive, or is one
 *	layers/        one more layer
 *	platforms/     one more platform: the one of its name, or its own
 *	referrers/     an artifact that refers to the image
 *
 * Under a temporary name it is nothing, until it is renamed.
 */
#ifndef FS_GRAMMAR_INTENT_H
#define FS_GRAMMAR_INTENT_H

#include <stdbool.h>

#include "base/err.h"

struct mount_source;

/* What a directory is to the files that are written in it. */
enum write_where {
	WRITE_IN_REPOSITORY, /* or a namespace */
	WRITE_IN_MIRROR,
	WRITE_IN_IMAGE,
	WRITE_IN_LAYERS,
	WRITE_IN_PLATFORMS,
	WRITE_IN_REFERRERS,
	WRITE_PLACES,
};

enum write_effect {
	WRITE_NOTHING, /* it stays on this machine */
	WRITE_ARCHIVE,
	/* An archive, each image of which becomes what its own name says;
	 * where tag is set, one that has but one image becomes that. */
	WRITE_BUNDLE,
	WRITE_LAYER,    /* put on top of the image */
	WRITE_CONFIG,   /* in place of the config */
	WRITE_MANIFEST, /* of the platform's image */
	WRITE_INDEX,    /* of the tag itself */
	WRITE_PLATFORM, /* an archive; detail says of which platform */
	WRITE_ATTACHMENT,
	WRITE_MIRROR, /* the archive of a mirror; detail: its path */
	WRITE_MIRROR_PART,
	WRITE_EFFECTS,
};

/*
 * Whether a name says that what has it stays on this machine. In a repository
 * that is one which can be neither a repository's nor an image's; in other
 * directories, where a part can have any name, one that programs give to
 * temporary files and backups: ".name", "name~".
 */
bool name_is_temporary(enum write_where where, const char *name);

/* A directory, as its view says it; strings are borrowed. */
struct write_place {
	enum write_where where;
	/* Of a mirror, and where it may become a tag, its path: REPO/TAG. */
	const char *repository;
	/* The image's; NULL: it is named by its digest, and cannot be changed.
	 * Not of a repository. */
	const char *tag;
	const char *subject; /* of referrers/: the image's digest */
	/* It is above repositories, and is not one itself: an archive of
	 * several images belongs there (WRITE_BUNDLE). */
	bool is_namespace;
};

/* What a file becomes. */
struct write_intent {
	struct mount_source *source; /* whose repository it is */
	enum write_where where;
	enum write_effect effect;
	/* NULL where there is no effect. */
	char *repository;
	char *tag;
	char *detail; /* the effect's: a platform, a digest, a path */
};

/*
 * Of a file of that name; leaves the source as it is. Nothing where the name is
 * temporary, or says no tag. -EPERM, with a sentence, where no file can be of
 * that name, or the image cannot be changed.
 */
int intent_of_name(const struct write_place *place, const char *name,
    struct write_intent *out, struct err *err);

/*
 * In an image's directory a name need not say what a file is. Whether one that
 * is nothing by its name would be the image if its content is that of an
 * archive, unless its program will rename it. moved: it has come from another
 * directory.
 */
bool intent_may_be_archive(const struct write_intent *intent, const char *name,
    bool moved);

/* A whole tree that becomes an image by its name: as intent_of_name(), but in
 * an image's directory it is the tag's, whatever it is called, and in others
 * -EPERM. */
int intent_of_tree(const struct write_place *place, const char *name,
    struct write_intent *out, struct err *err);

/*
 * The way back: how the file of that name is called less what says nothing of
 * what it becomes, and the name under which it can be tried again (mv would
 * move it into the directory of a tag that is there). New strings, or NULL.
 */
char *intent_final_name(const struct write_intent *intent, const char *name);
char *intent_name_to_try(const struct write_intent *intent, const char *final);

/* Frees the strings; it is zeroed then. A copy has strings of its own, and is
 * to be released also after a failure. */
void intent_release(struct write_intent *intent);
int intent_copy(const struct write_intent *from, struct write_intent *out,
    struct err *err);

#endif
