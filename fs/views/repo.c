/* SPDX-License-Identifier: Apache-2.0 */
/* Directories that are a namespace, a repository, or both. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "control/control.h"
#include "grammar/image_parts.h"
#include "grammar/name.h"
#include "habits/habits.h"
#include "makers.h"
#include "mirror/mirror.h"
#include "mirror/parts.h"
#include "node/image_info.h"
#include "oci/reference.h"
#include "readme.h"
#include "repo.h"
#include "scratch/scratch.h"
#include "tag/made.h"
#include "tag/repository.h"
#include "tag/tags.h"
#include "upload/document.h"
#include "upload/written_file.h"

/* What a lookup is about: the directory, and its name taken apart. */
struct repo_lookup {
	struct mount_source *source;
	struct node *dir;
	const char *repository;
	const char *text;
	struct name name;
};

static int repo_stat(struct node *node, struct stat *out, struct err *err)
{
	(void)err;
	mount_stat_dir(node->mount, node, out);
	return 0;
}

static int repo_xattrs(struct node *node, struct xattrs *out, struct err *err)
{
	const char *repository = repo_node_repository(node);
	int r = xattrs_add_stale(out,
	    images_stale(node->source->images, repository, NULL), err);

	return r < 0 || !*repository
		   ? r
		   : facts_add_xattrs(node->source, repository, NULL, out, err);
}

/* Whether the directory is known, without a request if possible. 1, 0. */
static int directory_known(struct mount_source *source, const char *repository,
    struct err *err)
{
	CLEANUP(names_put_p) struct names *catalog = NULL;
	int r;

	if (made_has(source->made, repository))
		return 1;
	catalog = images_catalog_cached(source->images);
	if (!catalog) {
		r = images_catalog(source->images, &catalog, err);
		if (r < 0 && !images_only_listing_failed(r, err))
			return r;
	}
	return repo_listed(source, repository);
}

/* What is in a namespace of Docker Hub is a repository, and nothing else. */
static bool may_nest(const struct repo_lookup *lookup)
{
	return source_can(images_source(lookup->source->images),
		   SOURCE_NESTS) ||
	       !*lookup->repository;
}

/*
 * Where nothing is listed, anything may be a namespace. But nobody nests
 * repositories in one another there, nor puts a namespace where a repository
 * was, a user who ran mkdir here will run it for children too, as mkdir is
 * about to do, and a name ending in .tar is about to be written.
 */
static bool may_be_namespace(const struct repo_lookup *lookup, const char *path)
{
	struct mount_source *source = lookup->source;

	return may_nest(lookup) &&
	       !images_found(source->images, lookup->repository) &&
	       !images_gone(source->images, lookup->repository) &&
	       !images_gone(source->images, path) &&
	       !made_has(source->made, lookup->repository) &&
	       !name_is_archive(lookup->text);
}

static bool lacks_login(struct mount_source *source, const char *repository)
{
	return source_lacks_login(images_source(source->images), repository);
}

/*
 * Whether the registry has such a directory though no list that we have says
 * so: it may be new, or not be listed. 1, 0.
 */
static int directory_asked(const struct repo_lookup *lookup,
    const char *repository, struct err *err)
{
	CLEANUP(names_put_p) struct names *names = NULL;
	struct err tags_err = ERR_INIT;
	int r =
	    images_tags(lookup->source->images, repository, &names, &tags_err);

	if (r == 0)
		return 1;
	/* What is refused may be a namespace, but not where nothing at all can
	 * be asked for, nor for mkdir, to which that is "File exists". */
	if (r != -ENOENT && (r != -EACCES || tags_err.http == 0 ||
				(caller_only_makes() &&
				    lacks_login(lookup->source, repository)))) {
		*err = tags_err;
		return r;
	}
	/* What is not there is no "File exists" to mkdir. */
	if (!images_listable(lookup->source->images))
		return (r == -EACCES || !caller_only_makes()) &&
		       may_be_namespace(lookup, repository);
	r = images_catalog(lookup->source->images, &names, err);
	if (r < 0 && images_only_listing_failed(r, err))
		return !caller_only_makes() &&
		       may_be_namespace(lookup, repository);
	if (r < 0)
		return r;
	if (repo_listed(lookup->source, repository))
		return 1;
	return images_pulls_through(lookup->source->images, repository) &&
	       may_be_namespace(lookup, repository);
}

static int tag_exists(struct mount_source *source, const char *repository,
    const char *tag, struct err *err)
{
	CLEANUP(names_put_p)
	struct names *tags = images_tags_cached(source->images, repository);
	struct digest digest;
	int r;

	if (tags && names_has(tags, tag))
		return 1;
	/* Tags that are not listed, and those of a second ago, are asked for.
	 */
	r = images_resolve(source->images, repository, tag, &digest, err);
	/* The list may now be as good as there is. */
	if (r < 0 && r != -ENOENT && !tags &&
	    (tags = images_tags_cached(source->images, repository)) &&
	    names_has(tags, tag))
		return 1;
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

/* The archive of a tag: 1. Where the tag's manifest is lost, programs have to
 * find a file that they can write, and so put the image again. */
static int lookup_archive(const struct repo_lookup *lookup,
    const char *repository, struct node **out, struct err *err)
{
	const char *tag = lookup->name.archive_tag;
	struct mount_source *source = lookup->source;
	const struct write_place place = {.where = WRITE_IN_REPOSITORY,
	    .repository = lookup->repository};
	struct document document = {.dir = lookup->dir,
	    .name = lookup->text,
	    .intent = {.source = source}};
	CLEANUP(image_put_p) struct image *image = NULL;
	struct err lost = ERR_INIT;
	int r = image_open_tag(source->images, repository, tag, &image, &lost);

	if (r == -ENOLINK)
		document.lost = &lost;
	else if (r < 0)
		*err = lost;
	else
		r = archive_content(source, image, tag, &document.content, err);
	if (r < 0 && !document.lost)
		return r;
	r = intent_of_name(&place, lookup->text, &document.intent, err);
	if (r < 0)
		node_discard(document.content);
	else
		r = document_node(&document, out, err);
	return r < 0 ? r : 1;
}

/* Whether one request says that the repository is not there, so that no tag of
 * it has to be asked for. */
static bool repository_missing(struct mount_source *source,
    const char *repository)
{
	return !images_found(source->images, repository) &&
	       !repo_listed(source, repository) &&
	       images_denied(source->images, repository);
}

/* Whether there is the tag that a name says in full: 1, 0. A registry that is
 * away does not hide the archive of another one, which ends like that. */
static int named_exists(const struct repo_lookup *lookup,
    const char *repository, struct err *err)
{
	struct images *images = lookup->source->images;
	const char *tag = lookup->name.tag;
	bool or_archive = *lookup->name.archive_tag;
	int r;

	if (or_archive && images_was_absent(images, repository, tag))
		return 0;
	r = tag_exists(lookup->source, repository, tag, err);
	if (r < 0 && or_archive && images_was_absent(images, repository, tag))
		return 0;
	return r;
}

/* 1 found, 0 not. A tag whose name ends in .tar hides the archive of the tag
 * before the ending. */
static int lookup_tag(const struct repo_lookup *lookup, const char *repository,
    struct node **out, struct err *err)
{
	const struct name *name = &lookup->name;
	int r = 0;

	if (repository_missing(lookup->source, repository))
		return 0;
	if (*name->tag)
		r = named_exists(lookup, repository, err);
	if (r == 1)
		r = image_node_tag(lookup->dir, lookup->text, repository,
		    name->tag, out, err);
	if (r < 0 || *out)
		return r < 0 ? r : 1;
	if (*name->archive_tag)
		r = tag_exists(lookup->source, repository, name->archive_tag,
		    err);
	return r == 1 ? lookup_archive(lookup, repository, out, err) : r;
}

static int lookup_reference(const struct repo_lookup *lookup, struct node **out,
    struct err *err)
{
	const struct name *name = &lookup->name;
	CLEANUP(image_put_p) struct image *image = NULL;
	AUTO_FREE char *repository =
	    *name->repository ? repo_path(lookup->repository, name->repository)
			      : strdup(lookup->repository);
	char text[DIGEST_TEXT_SIZE];
	struct digest digest;
	int r;

	if (!repository)
		return err_nomem(err);
	if (!repository_valid(repository))
		return 0;
	if (!digest_is_set(&name->digest))
		return lookup_tag(lookup, repository, out, err);
	r = images_resolve(lookup->source->images, repository,
	    digest_format(&name->digest, text), &digest, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = image_open(lookup->source->images, repository, &name->digest,
	    &image, err);
	if (r == 0)
		r = image_node_fixed(lookup->dir, lookup->text, image, out,
		    err);
	return r < 0 ? r : 1;
}

/* The node of a directory, if there is one: 1, else r. */
static int found(const struct repo_lookup *lookup, const char *path, int r,
    struct node **out, struct err *err)
{
	if (r == 1 && repo_node(lookup->source, path, out, err) < 0)
		return -err->code;
	return r;
}

/* Names that are refused and are no namespace's, as far as can be told: those
 * that every image has, and those of versions. */
static bool is_tags_or_parts(const char *name)
{
	return image_part_find(name) || isdigit((unsigned char)*name) ||
	       (*name == 'v' && isdigit((unsigned char)name[1])) ||
	       strcmp(name, "latest") == 0;
}

/* Whether the service lists for our login what is in the namespace, and not
 * this. */
static bool is_unlisted_below(const struct repo_lookup *lookup,
    const char *path)
{
	return images_below(lookup->source->images, lookup->repository,
		   ERR_IGNORE) == 1 &&
	       !repo_listed(lookup->source, path);
}

/*
 * A name of which the registry refuses to say whether it is a tag, as many do
 * of what they do not have. The name before it may be a namespace, and so may
 * this one. What is not there yet is refused by some, also to those who may
 * push it. 1, 0, or the refusal.
 */
static int below_refused(const struct repo_lookup *lookup, const char *path,
    const struct err *refusal, struct node **out, struct err *err)
{
	CLEANUP(names_put_p) struct names *tags = NULL;
	struct images *images = lookup->source->images;

	if (images_tags(images, path, &tags, ERR_IGNORE) == 0)
		return found(lookup, path, 1, out, err);
	if (!lacks_login(lookup->source, path) &&
	    (caller_only_makes() || is_unlisted_below(lookup, path)))
		return 0;
	if (!caller_only_makes() && !images_listable(images) &&
	    !is_tags_or_parts(lookup->text) && may_be_namespace(lookup, path))
		return found(lookup, path, 1, out, err);
	*err = *refusal;
	return -err->code;
}

static int lookup_plain(const struct repo_lookup *lookup, struct node **out,
    struct err *err)
{
	AUTO_FREE char *path = repo_path(lookup->repository, lookup->text);
	bool nests = path && lookup->name.component && repository_valid(path);
	struct err refusal = ERR_INIT;
	int r = 0;

	if (!path)
		return err_nomem(err);
	if (nests)
		r = found(lookup, path,
		    directory_known(lookup->source, path, err), out, err);
	if (r == 0 && *lookup->repository) {
		r = lookup_tag(lookup, lookup->repository, out, &refusal);
		if (r == -EACCES && refusal.http != 0 && nests)
			return below_refused(lookup, path, &refusal, out, err);
		if (r < 0)
			*err = refusal;
	}
	if (r == 0 && nests)
		r = found(lookup, path, directory_asked(lookup, path, err), out,
		    err);
	return r;
}

/* A directory that mkdir made, or a mirror: 1, 0. */
static int lookup_made(struct node *dir, const char *text, struct node **out,
    struct err *err)
{
	AUTO_FREE char *path = repo_path(repo_node_repository(dir), text);

	if (!path)
		return err_nomem(err);
	if (!made_has(dir->source->made, path) &&
	    !mirror_is_at(dir->source, path))
		return 0;
	return repo_node(dir->source, path, out, err) < 0 ? -err->code : 1;
}

/* What is known here, and in no registry: 1, 0. */
static int lookup_local(struct node *dir, const char *text, struct node **out,
    struct err *err)
{
	const char *repository = repo_node_repository(dir);
	int r = written_names_lookup(dir, text, out, err);

	if (r == 0)
		r = scratch_lookup(dir, text, out, err);
	if (r == 0)
		r = lookup_made(dir, text, out, err);
	if (r == 0)
		r = mirror_lookup(dir, text, out, err);
	if (r != 0)
		return r;
	if (replace_is_begun(dir, text))
		return err_set(err, ENOENT, "being replaced");
	/* Its parts are made by who copies; and nothing else is below a name
	 * that only a tag can have. */
	if (mirror_has_part(dir, text) ||
	    (*repository && !repository_valid(repository)))
		return err_set(err, ENOENT, "no such name");
	return 0;
}

static int repo_lookup(struct node *dir, const char *text, struct node **out,
    struct err *err)
{
	struct repo_lookup lookup = {.source = dir->source,
	    .dir = dir,
	    .repository = repo_node_repository(dir),
	    .text = text};
	int r;

	*out = NULL;
	if (control_is_at(dir, text))
		return control_node(dir, text, out, err);
	mirror_begin(dir, text);
	r = lookup_local(dir, text, out, err);
	if (r != 0)
		return r < 0 ? r : 0;
	name_parse(&lookup.name, text);
	if (lookup.name.form == NAME_REFERENCE)
		r = lookup_reference(&lookup, out, err);
	else if (lookup.name.form == NAME_PLAIN)
		r = lookup_plain(&lookup, out, err);
	if (r == 0)
		r = readme_lookup(dir, text, out, err);
	if (r < 0)
		return r;
	return r == 1 ? 0 : err_set(err, ENOENT, "no such name");
}

static int repo_child(struct node *dir, const char *text, mode_t mode,
    struct node **out, struct err *err)
{
	const char *repository = repo_node_repository(dir);
	AUTO_FREE char *path = repo_path(repository, text);
	int r;

	*out = NULL;
	if (!path)
		return err_nomem(err);
	r = lookup_local(dir, text, out, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (!S_ISDIR(mode)) {
		r = readme_child(dir, text, out, err);
		return r < 0    ? r
		       : r == 1 ? 0
				: err_set(err, ENOENT, "no longer there");
	}
	/* What list() made of a tag that shares its name begins with ':'. */
	if (*text == ':')
		return image_node_tag(dir, text, repository, text + 1, out,
		    err);
	if (repo_listed(dir->source, path))
		return repo_node(dir->source, path, out, err);
	return image_node_tag(dir, text, repository, text, out, err);
}

/* Modes and times are not kept: programs set them after they have copied. */
static int repo_setattr(struct node *node, struct handle *handle,
    const struct stat *attr, unsigned fields, struct err *err)
{
	(void)handle;
	(void)attr;
	(void)fields;
	return mirror_check_end(node, err);
}

/* What was only made becomes a tag's directory with the next image.tar. */
static double repo_name_ttl(const struct node *node)
{
	struct mount_source *source = node->source;
	const char *repository = repo_node_repository(node);
	bool is_new = made_has(source->made, repository) &&
		      !images_found(source->images, repository);

	return is_new || mirror_exists(source, repository) ? 0 : TTL_FOREVER;
}

static char *repo_node_path(const struct node *node)
{
	return source_path(node->source, repo_node_repository(node));
}

const struct view_ops view_repo = {
    .stat = repo_stat,
    .xattrs = repo_xattrs,
    .free = repo_node_free,
    .path = repo_node_path,
    .lookup = repo_lookup,
    .child = repo_child,
    .list = repo_list,
    .write_place = repo_write_place,
    .create = repo_create,
    .mkdir = repo_mkdir,
    .symlink = tags_link,
    .unlink = repo_unlink,
    .rmdir = repo_rmdir,
    .rename = repo_rename,
    .setattr = repo_setattr,
    .name_ttl = repo_name_ttl,
};
