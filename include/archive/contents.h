/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a complete archive says it holds, reduced to what one tag is to become:
 * a docker-archive's image, an OCI layout's manifest or index as it stands, or
 * a root file system.
 */
#ifndef ARCHIVE_CONTENTS_H
#define ARCHIVE_CONTENTS_H

#include <stddef.h>
#include <stdint.h>

#include "archive/reader.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "oci/config.h"
#include "oci/manifest.h"

enum archive_kind {
	ARCHIVE_DOCKER, /* a config and layers; the manifest is ours to make */
	ARCHIVE_OCI,    /* manifests to be pushed byte for byte */
	ARCHIVE_ROOTFS, /* the whole tar is the one layer */
};

/* A layer as it lies in the archive, plain or compressed. */
struct archive_layer {
	struct archive_entry entry;
	struct digest diff_id;
};

/* A blob that an OCI layout's manifest names. */
struct archive_blob {
	struct archive_entry entry;
	const struct descriptor *descriptor;
};

/* A manifest of an OCI layout, with its bytes. */
struct archive_manifest {
	const char *data;
	size_t len;
	const char *media_type;
	struct digest digest;
	const struct manifest *manifest;
};

struct archive_contents {
	enum archive_kind kind;

	/* ARCHIVE_DOCKER: the config's bytes and its layers, base first. */
	const char *config_data;
	size_t config_len;
	const struct config *config;
	const struct archive_layer *layers;
	size_t layer_count;

	/* ARCHIVE_OCI: blobs of all images, each once; manifests in the order
	 * in which they are to be put, the one for the tag last. Foreign layers
	 * that the archive leaves out are not among them. */
	const struct archive_blob *blobs;
	size_t blob_count;
	const struct archive_manifest *manifests;
	size_t manifest_count;

	/* What the archive lacks of an index, in the place of which one image
	 * of it was taken: "linux/arm64, linux/s390x". Else NULL. */
	const char *left_out;

	/* ARCHIVE_ROOTFS: bytes of the tar, from its start to its end. */
	uint64_t rootfs_size;
};

/* What it is to become. Of several images in the archive that one is taken. */
struct archive_wanted {
	const char *repository, *tag;
	/* What the archive calls it (archive/names.h); NULL: it is to be found
	 * by the other two. */
	const char *name;
};

/*
 * Reads what is needed of it out of a complete archive. Where it holds several
 * images, the one with the wanted tag is meant; where several have it, the one
 * whose name is most like the repository's.
 *
 * An archive that is both (docker 25 and later) is taken as an OCI layout where
 * its layers are compressed, so that its digests stay, else as docker-archive.
 * An OCI layout with uncompressed layers and one image becomes ARCHIVE_DOCKER:
 * its config stays and its layers are compressed. An index is kept as it is.
 * docker saves indexes of which it has not all images; manifest.json then says
 * which one is meant, and that one is taken alone.
 *
 * -EINVAL with a sentence: no image of that tag among several (the sentence
 * names them), something missing (it says what, and of which platform), a
 * manifest or config that has another digest or size, another number of layers
 * than of diff_ids. The reader is not used any
 * more afterwards, but names of entries are its own.
 */
int archive_contents_read(struct archive_reader *reader,
    const struct archive_wanted *wanted, struct archive_contents **out,
    struct err *err);
void archive_contents_free(struct archive_contents *contents);

DEFINE_CLEANUP(struct archive_contents *, archive_contents_free);

#endif
