/* SPDX-License-Identifier: Apache-2.0 */
/* What names say of files that are written. */
#include "intent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strf.h"
#include "image_parts.h"
#include "name.h"
#include "oci/platform.h"

bool name_is_temporary(enum write_where where, const char *text)
{
	size_t len = strlen(text);
	struct name name;

	if (where != WRITE_IN_REPOSITORY && where != WRITE_IN_MIRROR)
		return *text == '.' || (len > 0 && text[len - 1] == '~');
	name_parse(&name, text);
	return name.form == NAME_SCRATCH;
}

void intent_release(struct write_intent *intent)
{
	free(intent->repository);
	free(intent->tag);
	free(intent->detail);
	*intent = (struct write_intent){0};
}

/* Of copies; tag and detail may be NULL. */
static int set(struct write_intent *out, enum write_effect effect,
    const char *repository, const char *tag, const char *detail,
    struct err *err)
{
	out->effect = effect;
	out->repository = repository ? strdup(repository) : NULL;
	out->tag = tag ? strdup(tag) : NULL;
	out->detail = detail ? strdup(detail) : NULL;
	if ((!repository || out->repository) && (!tag || out->tag) &&
	    (!detail || out->detail))
		return 0;
	intent_release(out);
	return err_nomem(err);
}

int intent_copy(const struct write_intent *from, struct write_intent *out,
    struct err *err)
{
	*out =
	    (struct write_intent){.source = from->source, .where = from->where};
	return set(out, from->effect, from->repository, from->tag, from->detail,
	    err);
}

static int in_repository(const struct write_place *place, const char *text,
    struct write_intent *out, struct err *err)
{
	AUTO_FREE char *path = NULL;
	struct name name;

	name_parse(&name, text);
	if (!*place->repository && !*name.repository)
		return err_set(err, EPERM,
		    "an image needs a repository: write it to "
		    "REPOSITORY/%s",
		    text);
	if (!name_push_tag(&name))
		return 0;
	path = strf("%s%s%s", place->repository,
	    *place->repository && *name.repository ? "/" : "", name.repository);
	if (!path)
		return err_nomem(err);
	if (!repository_valid(path))
		return err_set(err, EPERM,
		    "%s is a tag's name and not a valid repository name", path);
	return set(out, WRITE_ARCHIVE, path, name_push_tag(&name), NULL, err);
}

static int in_mirror(const struct write_place *place, const char *name,
    struct write_intent *out, struct err *err)
{
	const struct image_part *part = image_part_find(name);
	const char *path = place->repository;
	AUTO_FREE char *repository =
	    strndup(path, (size_t)(strrchr(path, '/') - path));

	if (!repository)
		return err_nomem(err);
	return set(out, part ? part->in_copy : WRITE_NOTHING, repository,
	    place->tag, path, err);
}

static int in_image(const struct write_place *place, const char *name,
    struct write_intent *out, struct err *err)
{
	const struct image_part *part = image_part_find(name);
	enum write_effect effect =
	    name_is_archive(name) ? WRITE_ARCHIVE : WRITE_NOTHING;

	if (part && part->effect == WRITE_NOTHING)
		return err_set(err, EPERM,
		    "images have a directory of this name: give the file "
		    "another one");
	if (image_text_find(name) != IMAGE_TEXTS)
		return err_set(err, EPERM,
		    "this is made of the image, and nothing can be written "
		    "there: give the file another name");
	return set(out, part ? part->effect : effect, place->repository,
	    place->tag, NULL, err);
}

/* One that is nothing under a temporary name. */
static int in_part(const struct write_place *place, const char *name,
    enum write_effect effect, const char *detail, struct write_intent *out,
    struct err *err)
{
	if (name_is_temporary(place->where, name))
		return 0;
	return set(out, effect, place->repository, place->tag, detail, err);
}

static int in_layers(const struct write_place *place, const char *name,
    struct write_intent *out, struct err *err)
{
	return in_part(place, name, WRITE_LAYER, NULL, out, err);
}

/* "linux-arm64", as a platform is written elsewhere; NULL if it is not one, and
 * then the image says its own. */
static char *platform_of_name(const char *name)
{
	AUTO_FREE char *text = NULL;
	struct platform platform;

	text = strndup(name, strlen(name) - strlen(name_ending(name)));
	for (char *c = text; c && *c; c++)
		*c = *c == '-' ? '/' : *c;
	if (!text || platform_parse(&platform, text, ERR_IGNORE) < 0)
		return NULL;
	return steal(&text);
}

static int in_platforms(const struct write_place *place, const char *name,
    struct write_intent *out, struct err *err)
{
	AUTO_FREE char *platform = platform_of_name(name);

	return in_part(place, name, WRITE_PLATFORM, platform, out, err);
}

static int in_referrers(const struct write_place *place, const char *name,
    struct write_intent *out, struct err *err)
{
	return in_part(place, name, WRITE_ATTACHMENT, place->subject, out, err);
}

static const struct {
	int (*find)(const struct write_place *place, const char *name,
	    struct write_intent *out, struct err *err);
	bool needs_tag; /* it changes an image, which is then a tag's */
} rules[WRITE_PLACES] = {
    [WRITE_IN_REPOSITORY] = {in_repository, false},
    [WRITE_IN_MIRROR] = {in_mirror, true},
    [WRITE_IN_IMAGE] = {in_image, true},
    [WRITE_IN_LAYERS] = {in_layers, true},
    [WRITE_IN_PLATFORMS] = {in_platforms, true},
    [WRITE_IN_REFERRERS] = {in_referrers, false},
};

static int check_tag(const struct write_place *place, struct err *err)
{
	if (!rules[place->where].needs_tag || place->tag)
		return 0;
	return err_set(err, EPERM,
	    "an image named by its digest cannot be changed");
}

static void clear(struct write_intent *out, enum write_where where)
{
	*out = (struct write_intent){.source = out->source, .where = where};
}

int intent_of_name(const struct write_place *place, const char *name,
    struct write_intent *out, struct err *err)
{
	int r = check_tag(place, err);

	clear(out, place->where);
	return r < 0 ? r : rules[place->where].find(place, name, out, err);
}

bool intent_may_be_archive(const struct write_intent *intent, const char *name,
    bool moved)
{
	return intent->effect == WRITE_NOTHING &&
	       intent->where == WRITE_IN_IMAGE &&
	       (moved || !name_is_temporary(intent->where, name));
}

int intent_of_tree(const struct write_place *place, const char *name,
    struct write_intent *out, struct err *err)
{
	clear(out, place->where);
	if (place->where == WRITE_IN_REPOSITORY &&
	    name_is_temporary(place->where, name))
		return 0;
	if (place->where == WRITE_IN_REPOSITORY) {
		int r = intent_of_name(place, name, out, err);

		if (r < 0 || out->effect != WRITE_NOTHING)
			return r;
	}
	if (place->where != WRITE_IN_IMAGE || !place->tag)
		return err_set(err, EPERM, "an image cannot have this name");
	return set(out, WRITE_ARCHIVE, place->repository, place->tag, NULL,
	    err);
}

/* Whether its name says the tag. */
static bool is_tag(const struct write_intent *intent)
{
	return intent->effect == WRITE_ARCHIVE &&
	       intent->where == WRITE_IN_REPOSITORY;
}

char *intent_final_name(const struct write_intent *intent, const char *name)
{
	size_t len = strlen(name);

	if (is_tag(intent))
		len -= strlen(name_ending(name));
	return strndup(name, len);
}

char *intent_name_to_try(const struct write_intent *intent, const char *final)
{
	return is_tag(intent) ? strf("%s.tar", final) : strdup(final);
}
