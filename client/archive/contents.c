/* SPDX-License-Identifier: Apache-2.0 */
/* What a complete archive says it holds: of which kind it is. */
#include "archive/contents.h"

#include <errno.h>

#include "base/container.h"
#include "draft.h"
#include "read.h"

/* The archive is an OCI layout, too. */
static int take_both(struct draft *draft,
    const struct docker_archive_image *image,
    const struct archive_entry *layout, struct err *err)
{
	struct oci_manifest *chosen = NULL;
	struct err refusal = ERR_INIT;
	int chose = oci_choose(draft, layout, &chosen, &refusal);
	int r = docker_compressed(draft, image, err);

	if (r < 0)
		return r;
	/* Of plain layers the digests do not stay anyway. But an index has more
	 * than the one image. */
	if (r == 0 && !(chosen && chosen->parsed->kind == MANIFEST_INDEX))
		return docker_contents(draft, image, err);
	if (chose == 0)
		return oci_contents(draft, chosen, image, err);
	*err = refusal;
	return chose;
}

static int take_docker(struct draft *draft, const struct archive_entry *layout,
    struct err *err)
{
	const struct docker_archive_image *image;
	int r = docker_choose(draft, &image, err);

	if (r < 0)
		return r;
	return layout ? take_both(draft, image, layout, err)
		      : docker_contents(draft, image, err);
}

static int take_layout(struct draft *draft, const struct archive_entry *json,
    struct err *err)
{
	struct oci_manifest *chosen;
	int r = oci_choose(draft, json, &chosen, err);

	return r < 0 ? r : oci_contents(draft, chosen, NULL, err);
}

/*
 * Many a web application has a manifest.json, and others have files of the
 * other names: what is not what an archive has there belongs to a root file
 * system. But where there are parts of images, it is an archive that is broken.
 * 1, 0, or -errno.
 */
int draft_is_docker(struct draft *draft, struct err *err)
{
	struct archive_entry json;
	struct err reason = ERR_INIT;
	int r;

	if (!archive_reader_find(draft->reader, "manifest.json", &json))
		return 0;
	r = docker_read(draft, &json, &reason);
	if (r == 0)
		return 1;
	if (r == -EINVAL && !archive_reader_has_blobs(draft->reader))
		return 0;
	*err = reason;
	return r;
}

int draft_is_layout(struct draft *draft, struct archive_entry *json,
    struct err *err)
{
	struct archive_entry marker;
	struct err reason = ERR_INIT;
	const char *data;
	int r;

	if (!archive_reader_find(draft->reader, "oci-layout", &marker) ||
	    !archive_reader_find(draft->reader, "index.json", json))
		return 0;
	r = read_file(draft->reader, &marker, LAYOUT_MARKER_MAX, &draft->arena,
	    &data, &reason);
	if (r == 0)
		r = layout_check_marker(data, (size_t)marker.size, &reason);
	if (r == 0)
		return 1;
	if (r == -EINVAL)
		return archive_reader_has_blobs(draft->reader);
	*err = reason;
	return err_wrap(err, "oci-layout");
}

static int take_all(struct draft *draft, struct err *err)
{
	const struct archive_reader *reader = draft->reader;
	struct archive_entry layout, old;
	int with_docker = draft_is_docker(draft, err);
	int with_layout = with_docker < 0
			      ? with_docker
			      : draft_is_layout(draft, &layout, err);

	if (with_layout < 0)
		return with_layout;
	if (with_docker)
		return take_docker(draft, with_layout ? &layout : NULL, err);
	if (with_layout)
		return take_layout(draft, &layout, err);
	if (archive_reader_has_blobs(reader) &&
	    archive_reader_find(reader, "repositories", &old))
		return err_set(err, EINVAL,
		    "the archive has no manifest.json: Docker before 1.10 "
		    "saved it. Load and save it with a later Docker");
	draft->contents.kind = ARCHIVE_ROOTFS;
	draft->contents.rootfs_size = archive_reader_size(reader);
	return 0;
}

int archive_contents_read(struct archive_reader *reader,
    const struct archive_wanted *wanted, struct archive_contents **out,
    struct err *err)
{
	CLEANUP(draft_free_p) struct draft *draft = calloc(1, sizeof(*draft));
	int r;

	if (!draft)
		return err_nomem(err);
	draft->reader = reader;
	draft->wanted = wanted;
	r = take_all(draft, err);
	if (r == 0)
		*out = &steal(&draft)->contents;
	return r;
}

void archive_contents_free(struct archive_contents *contents)
{
	if (contents)
		draft_free(container_of(contents, struct draft, contents));
}
