/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the images of an archive is meant. */
#include "choice.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "list.h"
#include "oci/reference.h"

static bool all_one(const struct choice *choices, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (strcmp(choices[i].id, choices[0].id) != 0)
			return false;
	return true;
}

/* How well an image fits: not at all, by its tag, by the end of its name as
 * well, by all of its name. */
enum fit { FIT_NOT, FIT_TAG, FIT_END, FIT_NAME };

/* A name as docker and its archives may write it, of Docker Hub without the
 * host and "library/", in the one form that all have. */
static const char *short_form(const char *name)
{
	static const char hub[] = REFERENCE_HUB "/", library[] = "library/";

	if (strncmp(name, hub, strlen(hub)) == 0)
		name += strlen(hub);
	return strncmp(name, library, strlen(library)) == 0
		   ? name + strlen(library)
		   : name;
}

/* A name without the host and what docker adds. */
static const char *path_of(const char *name)
{
	static const char library[] = "library/";
	size_t first = strcspn(name, "/");

	if (name[first] == '/' && reference_host(name, first))
		name += first + 1;
	return strncmp(name, library, strlen(library)) == 0
		   ? name + strlen(library)
		   : name;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static enum fit fit_of_name(const struct image_name *name,
    const struct archive_wanted *wanted)
{
	struct reference reference;
	const char *path;

	if (wanted->name)
		return strcmp(short_form(name->text),
			   short_form(wanted->name)) == 0
			   ? FIT_NAME
			   : FIT_NOT;
	if (strcmp(name->tag, wanted->tag) != 0)
		return FIT_NOT;
	/* A bare tag, as layouts have it, is no name. */
	if (!strchr(name->text, ':') ||
	    reference_parse(&reference, name->text, ERR_IGNORE) < 0)
		return FIT_TAG;
	path = path_of(reference.name);
	if (strcmp(path, wanted->repository) == 0)
		return FIT_NAME;
	return strcmp(last_part(path), last_part(wanted->repository)) == 0
		   ? FIT_END
		   : FIT_TAG;
}

static enum fit fit_of(const struct choice *choice,
    const struct archive_wanted *wanted)
{
	enum fit best = FIT_NOT;

	for (size_t i = 0; i < choice->name_count; i++) {
		enum fit fit = fit_of_name(&choice->names[i], wanted);

		if (fit > best)
			best = fit;
	}
	return best;
}

static int refuse(const struct choice *choices, size_t count, const char *tag,
    const char *how_many, struct err *err)
{
	AUTO_BUF struct buf list = BUF_INIT(LIST_MAX);
	bool room = true;

	for (size_t i = 0; i < count; i++) {
		if (choices[i].name_count == 0)
			room = room && list_add(&list, "one without a name");
		for (size_t k = 0; k < choices[i].name_count; k++)
			room =
			    room && list_add(&list, choices[i].names[k].text);
	}
	return err_set(err, EINVAL,
	    "the archive holds several images, %s of them with the tag %s: "
	    "%s%s",
	    how_many, tag, buf_str(&list), room ? "" : "…");
}

int choice_make(const struct choice *choices, size_t count,
    const struct archive_wanted *wanted, size_t *out, struct err *err)
{
	enum fit best = FIT_NOT;
	bool is_one = true;
	size_t found = 0;

	if (all_one(choices, count)) {
		*out = 0;
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		enum fit fit = fit_of(&choices[i], wanted);

		if (fit == FIT_NOT || fit < best)
			continue;
		is_one =
		    fit > best || strcmp(choices[found].id, choices[i].id) == 0;
		best = fit;
		found = i;
	}
	if (best == FIT_NOT)
		return refuse(choices, count, wanted->tag, "none", err);
	if (!is_one)
		return refuse(choices, count, wanted->tag, "more than one",
		    err);
	*out = found;
	return 0;
}
