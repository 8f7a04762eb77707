/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of nodes, and the numbers that they give. */
#include "key.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/strf.h"

static const uint64_t TABLE_BIT = 1ULL << 63;
/* Of all but manifests and blobs. */
static const uint64_t LATE_BIT = 1ULL << 62;
/* Of archives: all but 40 bits. */
static const uint64_t LAST_BITS = ~0ULL << 40;

/* cp copies a directory in the order of these numbers. Of an image that is to
 * be the manifests, by which the copy is known (mirror.h), then directories,
 * and the archive, which makes the copy, at the end. */
static uint64_t in_order(enum node_kind kind, uint64_t number)
{
	if (kind == NODE_ARCHIVE)
		return number | LAST_BITS;
	if (kind == NODE_MANIFEST || kind == NODE_BLOB)
		return (number | TABLE_BIT) & ~LATE_BIT;
	return number | TABLE_BIT | LATE_BIT;
}

uint64_t node_number(enum node_kind kind, const char *key)
{
	struct digest digest;
	uint64_t number = 0;

	/* SHA-256, so that nobody can make names that collide. */
	if (digest_of(DIGEST_SHA256, key, strlen(key), &digest, ERR_IGNORE) ==
	    0)
		memcpy(&number, digest.bytes, sizeof(number));
	return in_order(kind, number);
}

bool node_is_located(uint64_t ino)
{
	return !(ino & TABLE_BIT) && ino != NODE_ROOT;
}

uint64_t key_number(enum node_kind kind, char *key)
{
	uint64_t number = key ? node_number(kind, key) : 0;

	free(key);
	return number;
}

char *key_of_repository(const struct mount_source *source, const char *path)
{
	AUTO_FREE char *unique = source_unique_name(source, path);

	return unique ? strf("dir:%s", unique) : NULL;
}

char *key_of_repository_in(const struct mount_source *source, const char *path,
    const char *name, size_t len)
{
	AUTO_FREE char *unique = source_unique_name(source, path);

	return unique ? strf("dir:%s%s%.*s", unique, *unique ? "/" : "",
			    (int)len, name)
		      : NULL;
}

char *key_of_root_image(const struct mount_source *source,
    const char *repository, const char *reference)
{
	AUTO_FREE char *unique = source_unique_name(source, repository);

	return unique ? strf("image:%s:%s", unique, reference) : NULL;
}

/* No repository's name begins so: a directory that mkdir made and that of a tag
 * can have one path after the other, while somebody still has the first open.
 */
char *key_of_tag(const struct node *dir, const char *name)
{
	return strf("%s/:%s", dir->key, name);
}

char *key_of_part(const struct node *dir, const char *name,
    const struct digest *manifest)
{
	char text[DIGEST_TEXT_SIZE];

	return strf("%s/%s#%s", dir->key, name, digest_format(manifest, text));
}

char *key_of_child(const struct node *dir, const char *name)
{
	return strf("%s/%s", dir->key, name);
}

char *key_of_manifest(const struct digest *digest)
{
	char text[DIGEST_TEXT_SIZE];

	return strf("manifest:%s", digest_format(digest, text));
}

char *key_of_blob(const struct descriptor *blob)
{
	char text[DIGEST_TEXT_SIZE];

	return strf("blob:%s:%" PRIu64 ":%s",
	    digest_format(&blob->digest, text), blob->size, blob->media_type);
}

char *key_of_archive(const struct mount_source *source, const char *repository,
    const char *tag, const struct digest *image)
{
	AUTO_FREE char *unique = source_unique_name(source, repository);
	char text[DIGEST_TEXT_SIZE];

	return unique ? strf("archive:%s:%s@%s", unique, tag ? tag : "",
			    digest_format(image, text))
		      : NULL;
}

char *key_of_partial(char *archive, uint64_t size)
{
	AUTO_FREE char *before = archive;

	return before ? strf("%s of %" PRIu64 " bytes", before, size) : NULL;
}

char *key_of_document(const struct node *dir, const char *name,
    const char *content, uint64_t size)
{
	return strf("document:%s//%s#%s:%" PRIu64, dir->key, name, content,
	    size);
}

char *key_of_layer_file(const char *tree, const char *layer, uint32_t entry)
{
	return strf("%s//%s:%" PRIx32, tree, layer, entry);
}

char *key_of_serial(enum key_serial kind, uint64_t serial)
{
	static const char *const kinds[] = {
	    [KEY_WRITTEN] = "upload",
	    [KEY_LINK] = "link",
	    [KEY_SCRATCH] = "scratch",
	    [KEY_EVENTS] = "control/events",
	};

	return strf("%s:%" PRIx64, kinds[kind], serial);
}
