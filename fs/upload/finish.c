/* SPDX-License-Identifier: Apache-2.0 */
/* What a file that is whole becomes, and what comes of it. */
#include <errno.h>

#include "image/retag.h"
#include "table.h"

int upload_push(struct upload *upload, struct err *err)
{
	const struct write_intent *intent = &upload->intent;
	const struct push_target to = {.images = intent->source->images,
	    .repository = intent->repository,
	    .tag = intent->tag,
	    .untagged = intent_kind(intent)->is_untagged};

	if (upload->push)
		return 0;
	return push_new(&to, upload->spool, &upload->push, err);
}

/* What its archive is now, whether its bytes came in or it was copied in the
 * registry; NULL where it is not an archive. */
static const struct digest *pushed_digest(const struct upload *upload)
{
	if (!intent_kind(&upload->intent)->is_archive)
		return NULL;
	return upload->source ? &save_image(upload->source)->digest
			      : push_digest(upload->push);
}

int upload_apply(struct upload *upload, struct err *err)
{
	const struct write_kind *kind = intent_kind(&upload->intent);
	char type[ARTIFACT_TYPE_SIZE];
	const struct write_content file = {.name = upload->name,
	    .type = type,
	    .spool = upload->spool,
	    .pushed = pushed_digest(upload)};

	if (upload->state == FILE_DONE || !kind->apply)
		return 1;
	upload_type(upload, type);
	return kind->apply(&upload->intent, &file, err);
}

/* Takes note of what push_advance() or push_end() said. */
int upload_outcome(struct upload *upload, int r, struct err *err)
{
	bool was_done = upload->state == FILE_DONE;
	struct err lasting = *err;

	if (r == 1 && !was_done) {
		upload_become(upload, FILE_DONE, NULL);
		uploads_pushed_now(upload);
	}
	if (r >= 0)
		return 0;
	/* EINTR asks to write again, which many programs would do for ever. */
	if (r == -EINTR)
		lasting.code = EIO;
	upload_become(upload, was_done ? FILE_OVERRUN : FILE_FAILED, &lasting);
	if (!was_done)
		uploads_failed_now(upload);
	return r;
}

int upload_copy_finish(struct upload *upload, struct err *err)
{
	const struct tag_name to = {upload->intent.repository,
	    upload->intent.tag};
	int r;

	if (upload->copied < save_size(upload->source))
		return err_set(err, EINVAL, "%s was not copied completely",
		    upload->name);
	r = tag_copy(save_image(upload->source), &to, upload->mount->referrers,
	    err);
	return r < 0 ? r : upload_apply(upload, err);
}

int upload_complete(struct upload *upload, bool is_last, struct err *err)
{
	int r;

	if (upload->source)
		return upload_copy_finish(upload, err);
	if (!spool_size(upload->spool))
		return 0;
	if (!intent_kind(&upload->intent)->is_archive)
		return upload_apply(upload, err);
	r = upload_push(upload, err);
	if (r == 0)
		r = push_end(upload->push, is_last, err);
	return r == 1 ? upload_apply(upload, err) : r;
}
