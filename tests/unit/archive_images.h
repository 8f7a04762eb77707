/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of what archives hold: a small image in all of its parts, and
 * the two layouts in which it can lie in an archive.
 */
#ifndef TESTS_ARCHIVE_IMAGES_H
#define TESTS_ARCHIVE_IMAGES_H

#include "archive/contents.h"
#include "archive_fixture.h"
#include "oci/manifest.h"

enum { LAYERS = 2 };

enum form { FORM_PLAIN, FORM_GZIP };

/* An image with two layers; the digests follow from its name. */
struct test_image {
	struct buf config, manifest;
	struct buf layers[LAYERS];
	struct digest config_digest, manifest_digest, layer_digests[LAYERS];
	struct digest diff_ids[LAYERS];
};

struct digest digest_buf(const struct buf *buf);

void image_make_manifest(struct test_image *image, enum form form);

void image_make(struct test_image *image, const char *name, enum form form);

void image_release(struct test_image *image);

#define AUTO_IMAGE CLEANUP(image_release)

/* blobs/sha256/HEX. */
void put_blob(struct buf *tar, const struct buf *blob);

void put_blobs(struct buf *tar, const struct test_image *image);

/* Adds an entry to an index; extra is more of its members, with a comma. */
void add_entry(struct buf *index, const char *media_type,
    const struct buf *manifest, const char *extra);

/* The whole index of such entries. */
void make_index(struct buf *out, const struct buf *entries);

void put_index(struct buf *tar, const struct buf *entries);

#define NAMED(tag) \
	",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" tag "\"}"
#define PLATFORM(arch) \
	",\"platform\":{\"os\":\"linux\",\"architecture\":\"" arch "\"}"

/* How its writers name the files of an image. */
struct naming {
	const char *config; /* with %s for the digest's hexadecimal */
	const char *layer;
};

UNUSED static const struct naming docker_save = {"%s.json", "%s/layer.tar"};
UNUSED static const struct naming skopeo = {"%s.json", "%s.tar"};
UNUSED static const struct naming ggcr = {"sha256:%s", "%s.tar.gz"};
UNUSED static const struct naming docker_25 = {"blobs/sha256/%s",
    "blobs/sha256/%s"};

void put_parts(struct buf *tar, const struct test_image *image,
    const struct naming *naming);

/* Adds the image to the list that docker's manifest.json is. */
void add_image(struct buf *list, const struct test_image *image,
    const struct naming *naming, const char *name);

void put_manifest(struct buf *tar, const struct buf *list);

/* Reads the contents of a whole archive. */
struct test_contents {
	struct reading reading;
	struct archive_contents *contents;
};

int contents_read(struct test_contents *test, struct buf *tar, const char *tag);

void contents_release(struct test_contents *test);

#define AUTO_CONTENTS CLEANUP(contents_release)

void check_contents_refused(struct buf *tar, const char *tag, const char *says);

/* The bytes of an entry are these. */
void check_entry(const struct test_contents *test,
    const struct archive_entry *entry, const struct buf *expected);

/* It was taken as this image, the manifest to be made. */
void check_docker(const struct test_contents *test,
    const struct test_image *image);

#endif
