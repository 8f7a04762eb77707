/* SPDX-License-Identifier: Apache-2.0 */
/* What a file that is whole becomes, and what comes of it. */
#include <errno.h>

#include "image/retag.h"
#include "written.h"

/* As push_bundle's place(). */
static int place(const void *arg, const char *name, struct push_place *out,
    struct err *err)
{
	const struct write_intent *intent = arg;

	return intent_kind(intent)->place(intent, name, out, err);
}

static int push_bundle(struct written_file *file, struct err *err)
{
	const struct write_intent *intent = &file->intent;
	struct images *images = intent->source->images;
	char path[REFERENCE_TEXT_SIZE] = "HOST";
	struct push_bundle bundle = {.path = path,
	    .place = place,
	    .arg = intent};

	if (images)
		source_place(images_source(images), intent->repository, path,
		    sizeof(path));
	if (intent->tag)
		bundle.tag = (struct tag_ref){.images = images,
		    .repository = intent->repository,
		    .tag = intent->tag};
	return push_bundle_new(&bundle, file->mount->store, file->spool,
	    &file->push, err);
}

int written_file_push(struct written_file *file, struct err *err)
{
	const struct write_intent *intent = &file->intent;
	const struct tag_ref to = {.images = intent->source->images,
	    .repository = intent->repository,
	    .tag = intent->tag,
	    .untagged = intent_kind(intent)->is_untagged};

	if (file->push)
		return 0;
	if (intent_kind(intent)->place)
		return push_bundle(file, err);
	return push_new(&to, file->spool, &file->push, err);
}

/* What its archive is now, whether its bytes came in or it was copied in the
 * registry; NULL where it is not an archive. */
static const struct digest *pushed_digest(const struct written_file *file)
{
	if (!intent_kind(&file->intent)->is_archive)
		return NULL;
	return file->source ? &save_image(file->source)->digest
			    : push_digest(file->push);
}

int written_file_apply(struct written_file *file, struct err *err)
{
	const struct write_kind *kind = intent_kind(&file->intent);
	char type[ARTIFACT_TYPE_SIZE];
	const struct write_content content = {.name = file->name,
	    .type = type,
	    .spool = file->spool,
	    .pushed = pushed_digest(file)};

	if (file->state == FILE_DONE || !kind->apply)
		return 1;
	written_file_type(file, type);
	return kind->apply(&file->intent, &content, err);
}

/* Takes note of what push_advance() or push_end() said. */
int written_file_outcome(struct written_file *file, int r, struct err *err)
{
	bool was_done = file->state == FILE_DONE;
	struct err lasting = *err;

	if (r == 1 && !was_done) {
		written_file_become(file, FILE_DONE, NULL);
		written_names_pushed(file);
	}
	if (r >= 0)
		return 0;
	/* EINTR asks to write again, which many programs would do for ever. */
	if (r == -EINTR)
		lasting.code = EIO;
	written_file_become(file, was_done ? FILE_OVERRUN : FILE_FAILED,
	    &lasting);
	if (!was_done)
		written_file_failed(file);
	return r;
}

int written_file_copy_finish(struct written_file *file, struct err *err)
{
	const struct tag_ref to = {.images = file->intent.source->images,
	    .repository = file->intent.repository,
	    .tag = file->intent.tag};
	int r;

	if (file->copied < save_size(file->source))
		return err_set(err, EINVAL,
		    "the archive was not copied "
		    "completely");
	r = tag_copy(save_image(file->source), &to, file->mount->referrers,
	    err);
	return r < 0 ? r : written_file_apply(file, err);
}

int written_file_complete(struct written_file *file, bool is_last,
    struct err *err)
{
	int r;

	if (file->source)
		return written_file_copy_finish(file, err);
	if (!spool_size(file->spool))
		return 0;
	if (!intent_kind(&file->intent)->is_archive)
		return written_file_apply(file, err);
	r = written_file_push(file, err);
	if (r == 0)
		r = push_end(file->push, is_last, err);
	return r == 1 ? written_file_apply(file, err) : r;
}
