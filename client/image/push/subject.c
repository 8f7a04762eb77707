/* SPDX-License-Identifier: Apache-2.0 */
/* Who lists what refers to a manifest: distribution-spec "Pushing Manifests
 * with Subject". */
#include "subject.h"

#include <errno.h>

#include "catalog/referrers_state.h"

static int ignore(void *arg, const struct descriptor *referrer, struct err *err)
{
	(void)arg;
	(void)referrer;
	(void)err;
	return 0;
}

/* There were registries that said that they keep the list, and had none. 1, 0,
 * or an error. */
static int keeps_list(const struct tag_ref *target,
    const struct digest *subject, struct err *err)
{
	struct referrers_state *state = images_referrers(target->images);
	struct err reason = ERR_INIT;
	int r;

	if (atomic_load(&state->api) == API_PRESENT)
		return 1;
	r = referrers_ask(target->images, target->repository, subject, ignore,
	    NULL, &reason);
	if (r < 0 && r != -EOPNOTSUPP)
		*err = reason;
	return r == -EOPNOTSUPP ? 0 : r < 0 ? r : 1;
}

static int put_on_list(const struct tag_ref *target,
    const struct archive_manifest *put, struct err *err)
{
	const struct manifest *manifest = put->manifest;
	const char *type = manifest->artifact_type;
	const struct descriptor entry = {.media_type = put->media_type,
	    .digest = put->digest,
	    .size = put->len,
	    .artifact_type = type ? type : manifest->config.media_type,
	    .annotations = manifest->annotations,
	    .annotation_count = manifest->annotation_count};

	return referrers_tag_add(target->images, target->repository,
	    &manifest->subject.digest, &entry, err);
}

int subject_put(const struct tag_ref *target,
    const struct archive_manifest *put, bool says_so, struct err *err)
{
	const struct digest *subject;
	int r = 0;

	if (!put->manifest || !digest_is_set(&put->manifest->subject.digest))
		return 0;
	subject = &put->manifest->subject.digest;
	if (says_so)
		r = keeps_list(target, subject, err);
	if (r == 0)
		r = put_on_list(target, put, err);
	referrers_changed(target->images, target->repository, subject);
	return r < 0 ? r : 0;
}
