/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of several images: where each goes, and that it gets there. */
#include "bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/names.h"
#include "base/log.h"
#include "catalog/progress.h"
#include "contents.h"
#include "layer.h"

/* Of a list of names in a sentence, of which several fit in one. */
enum { LIST_MAX = 160 };

/* The names of an archive, and the place of each. */
struct bundle_run {
	const struct push_bundle *bundle;
	struct archive_reader *reader;
	const struct archive_names *names;
	struct push_place *places;
};

/* "a:1, b:2", cut where it is long. */
static void add_name(struct buf *list, const char *name)
{
	size_t before = list->len;

	if (buf_addf(list, ERR_IGNORE, "%s%s", before ? ", " : "", name) == 0)
		return;
	list->len = before;
	buf_addstr(list, "…", ERR_IGNORE);
	list->limit = list->len;
}

static void add_names(struct buf *list, const struct bundle_run *run,
    size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		add_name(list, run->names->list[i]);
}

/* Whether an image of the archive has the tag that the file's name says. */
static bool has_tag(const struct archive_names *names, const char *tag)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(strrchr(names->list[i], ':') + 1, tag) == 0)
			return true;
	return false;
}

static bool becomes_tag(const struct push_bundle *bundle,
    const struct archive_names *names)
{
	return bundle->tag.images &&
	       (names->image_count <= 1 || has_tag(names, bundle->tag.tag));
}

static int refuse_unnamed(const struct bundle_run *run, struct err *err)
{
	if (run->names->image_count == 0)
		return err_set(err, EINVAL,
		    "a root file system has no name that says what it becomes: "
		    "write it to %s/REPOSITORY/TAG.tar",
		    run->bundle->path);
	return err_set(err, EINVAL,
	    "the archive holds an image %s%s, which says no repository and "
	    "tag: write it to %s/REPOSITORY/TAG.tar",
	    *run->names->unnamed ? "called " : "without a name",
	    run->names->unnamed, run->bundle->path);
}

/* Finds the places of all: -EINVAL names those that are elsewhere. */
static int find_places(struct bundle_run *run, struct err *err)
{
	AUTO_BUF struct buf elsewhere = BUF_INIT(LIST_MAX);
	const struct archive_names *names = run->names;

	if (names->image_count == 0 || names->unnamed)
		return refuse_unnamed(run, err);
	for (size_t i = 0; i < names->count; i++) {
		int r = run->bundle->place(run->bundle->arg, names->list[i],
		    &run->places[i], err);

		if (r < 0)
			return err_wrap(err, "%s", names->list[i]);
		if (r == 0)
			add_name(&elsewhere, names->list[i]);
	}
	if (elsewhere.len == 0)
		return 0;
	return err_set(err, EINVAL,
	    "nothing was pushed, as not all of the images belong to %s: %s. "
	    "Write the archive to the directory of what they are called, or "
	    "each image to its REPOSITORY/TAG.tar",
	    run->bundle->path, buf_str(&elsewhere));
}

static int push_one(const struct bundle_run *run, size_t i, struct err *err)
{
	const struct push_place *place = &run->places[i];
	struct push_progress progress;
	const struct tag_ref target = {.images = place->images,
	    .repository = place->repository,
	    .tag = place->tag,
	    .progress = &progress};
	struct push_layers layers = {.target = NULL};
	uint64_t size = archive_reader_size(run->reader);
	struct digest digest;
	int r;

	push_layers_init(&layers, &target);
	progress_begin(&progress, place->images, place->repository, place->tag);
	atomic_store(&progress.received, size);
	atomic_store(&progress.complete, true);
	push_layers_grow(&layers, size);
	r = push_contents(&layers, run->reader, NULL, run->names->list[i],
	    &digest, err);
	push_layers_cancel(&layers);
	progress_end(&progress, r == 0 ? &digest : NULL, err);
	push_layers_release(&layers);
	return r;
}

static void log_pushed(const struct bundle_run *run, size_t i)
{
	const struct push_place *place = &run->places[i];

	log_info("pushed %s as %s/%s:%s", run->names->list[i],
	    source_name(images_source(place->images)), place->repository,
	    place->tag);
}

/* What was pushed, and what not, before the reason. */
static int half_way(const struct bundle_run *run, size_t done, struct err *err)
{
	AUTO_BUF struct buf pushed = BUF_INIT(LIST_MAX);
	AUTO_BUF struct buf left = BUF_INIT(LIST_MAX);

	add_names(&pushed, run, 0, done);
	add_names(&left, run, done, run->names->count);
	return err_wrap(err, "pushed %s, and not %s",
	    done ? buf_str(&pushed) : "nothing", buf_str(&left));
}

static int push_all(const struct bundle_run *run, struct err *err)
{
	for (size_t i = 0; i < run->names->count; i++) {
		int r = push_one(run, i, err);

		if (r < 0)
			return half_way(run, i, err);
		log_pushed(run, i);
	}
	return 1;
}

int push_bundle_images(const struct push_bundle *bundle,
    struct archive_reader *reader, struct err *err)
{
	CLEANUP(archive_names_free_p) struct archive_names *names = NULL;
	AUTO_FREE struct push_place *places = NULL;
	struct bundle_run run = {.bundle = bundle, .reader = reader};
	int r = archive_names_read(reader, &names, err);

	if (r < 0 || becomes_tag(bundle, names))
		return r;
	run.names = names;
	run.places = places = calloc(names->count + 1, sizeof(*places));
	if (!places)
		return err_nomem(err);
	r = find_places(&run, err);
	return r < 0 ? r : push_all(&run, err);
}
