/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an OCI layout has all that its manifests name. */
#ifndef ARCHIVE_OCI_COMPLETE_H
#define ARCHIVE_OCI_COMPLETE_H

#include "list.h"
#include "oci_blobs.h"

/* "the manifest DIGEST of PLATFORM" */
enum { LACKING_SIZE = 32 + DIGEST_TEXT_SIZE + PLATFORM_TEXT_SIZE };

/* What is found where completeness is looked into. */
struct oci_survey {
	/* Where the config of an image is that is to be found, or NULL. */
	const struct archive_entry *config;
	/* The image: a complete one, if there is one, else any, else NULL. */
	struct oci_manifest *image;

	char lacking[LACKING_SIZE]; /* the first thing that is not there */
	/* Whose manifest, config or layer is not there: a list (list.h), in
	 * which attestations are said once. */
	struct buf platforms;
	bool attestation;
	bool more; /* than the list has room for */
};

#define OCI_SURVEY_INIT \
	{ \
		.platforms = BUF_INIT(LIST_MAX) \
	}

/* Frees the list of platforms. */
static inline void oci_survey_release(struct oci_survey *survey)
{
	buf_release(&survey->platforms);
}

/*
 * Whether all is there that a push of the manifest needs: of an image all blobs
 * that are not foreign, of an index all of its manifests with what they need.
 * 1; 0, and the survey says what is not there; or -errno. Only the first survey
 * of an index finds all that there is to be found.
 */
int oci_complete(struct oci_blobs *blobs, struct oci_manifest *manifest,
    struct oci_survey *survey, struct err *err);

#endif
