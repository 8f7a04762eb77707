/* SPDX-License-Identifier: Apache-2.0 */
/* Images read as one archive. */
#include "image/save.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "archive/layout.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/strf.h"
#include "save_collect.h"

struct save {
	atomic_uint refs;
	struct image *image;
	struct archive_layout *layout;
	pthread_mutex_t lock;
	struct blob *blob; /* the last one read; under lock */
	struct digest blob_digest;
	struct digest ahead; /* the last one fetched ahead; under lock */

	char *title;      /* what the image is called */
	struct err fault; /* no byte of it would be right; code 0: none */
	char *lacking;    /* manifests of the index that it lacks; NULL: none */
	bool is_whole;
	atomic_bool warned; /* of what it lacks */
};

/* A reader of so much of a blob goes on to the next one. */
enum { AHEAD_AFTER = 1 << 20 };

static int save_layout(struct save *save,
    const struct save_collection *collection, const char *tag, struct err *err)
{
	AUTO_FREE struct layout_manifest *manifests =
	    calloc(collection->count, sizeof(*manifests));
	struct reference name;
	struct layout_input input = {tag ? &name : NULL, manifests,
	    collection->count, collection->docker, collection->absent,
	    collection->absent_count};
	char text[REFERENCE_TEXT_SIZE];
	int r = image_reference(save->image, tag, &name, err);

	if (r < 0)
		return r;
	save->title = strdup(reference_format(&name, text));
	if (!manifests || !save->title)
		return err_nomem(err);
	for (size_t i = 0; i < collection->count; i++) {
		const struct image *image = collection->images[i];

		manifests[i] = (struct layout_manifest){image->data, image->len,
		    image->digest, image->manifest};
	}
	return archive_layout_new(&input, &save->layout, err);
}

/*
 * An index that is not all there is saved as docker saves one: its
 * manifest.json says which image is meant. Without, nobody could load the
 * archive, nor push it again.
 */
static int save_judge(struct save *save,
    const struct save_collection *collection, struct err *err)
{
	const struct buf *lacking = &collection->lacking;

	save->fault = collection->fault;
	save->is_whole = lacking->len == 0 && collection->absent_count == 0;
	if (lacking->len == 0)
		return 0;
	save->lacking =
	    strf("%s%s", buf_str(lacking), collection->lacks_more ? ", …" : "");
	if (!save->lacking)
		return err_nomem(err);
	if (!save->fault.code && !archive_layout_has_docker(save->layout))
		err_set(&save->fault, EIO,
		    "the registry lacks the manifest %s, which the index "
		    "names, and part of the image for this platform: no "
		    "archive can be made of the index",
		    save->lacking);
	return 0;
}

int save_new(struct image *image, const char *tag, struct save **out,
    struct err *err)
{
	CLEANUP(save_collection_release)
	struct save_collection collection = {0};
	CLEANUP(save_put_p) struct save *save = calloc(1, sizeof(*save));
	int r;

	if (!save)
		return err_nomem(err);
	atomic_init(&save->refs, 1);
	atomic_init(&save->warned, false);
	pthread_mutex_init(&save->lock, NULL);
	save->image = image_get(image);
	r = save_collect(image, &collection, err);
	if (r == 0)
		r = save_layout(save, &collection, tag, err);
	if (r == 0)
		r = save_judge(save, &collection, err);
	if (r == 0)
		*out = steal(&save);
	return r;
}

int save_open(struct save *save, struct err *err)
{
	if (save->fault.code) {
		*err = save->fault;
		return err_wrap(err, "%s", save->title);
	}
	if (save->lacking && !atomic_exchange(&save->warned, true))
		log_warn("%s is saved without %s: the registry has no such "
			 "manifest",
		    save->title, save->lacking);
	return 0;
}

bool save_is_whole(const struct save *save)
{
	return save->is_whole;
}

struct save *save_get(struct save *save)
{
	atomic_fetch_add(&save->refs, 1);
	return save;
}

struct image *save_image(const struct save *save)
{
	return save->image;
}

void save_put(struct save *save)
{
	if (!save || atomic_fetch_sub(&save->refs, 1) > 1)
		return;
	image_put(save->image);
	free(save->title);
	free(save->lacking);
	if (save->layout)
		archive_layout_free(save->layout);
	blob_put(save->blob);
	pthread_mutex_destroy(&save->lock);
	free(save);
}

uint64_t save_size(const struct save *save)
{
	return archive_layout_size(save->layout);
}

/*
 * Reads of a blob that is read from front to end find it open. An archive has
 * no digest of its own by which its reader could tell, and may be read in any
 * order: no byte of a blob is served before all are right.
 */
static ssize_t save_read_blob(struct save *save,
    const struct descriptor *descriptor, void *data, size_t len, uint64_t off,
    struct err *err)
{
	struct blob *blob = NULL;
	ssize_t n;

	{
		SCOPED_LOCK(&save->lock);
		if (save->blob &&
		    digest_equal(&save->blob_digest, &descriptor->digest))
			blob = steal(&save->blob);
	}
	if (!blob) {
		int r = image_blob(save->image, descriptor, &blob, err);

		if (r < 0)
			return r;
	}
	n = blob_read_verified(blob, data, len, off, err);
	{
		SCOPED_LOCK(&save->lock);
		struct blob *before = save->blob;

		save->blob = blob;
		save->blob_digest = descriptor->digest;
		blob = before;
	}
	blob_put(blob);
	return n;
}

/* What is to be fetched while the blob before it is read. */
struct ahead {
	struct save *save; /* counted */
	const struct descriptor *blob;
};

static void fetch_ahead(void *arg)
{
	AUTO_FREE struct ahead *ahead = arg;
	CLEANUP(blob_put_p) struct blob *blob = NULL;
	char first;

	/* The read of it says what is wrong. */
	if (image_blob(ahead->save->image, ahead->blob, &blob, ERR_IGNORE) == 0)
		blob_read_verified(blob, &first, 1, 0, ERR_IGNORE);
	blob_put(steal(&blob));
	save_put(ahead->save);
}

/* The blob at that place in the archive. NULL: no blob is at it or after it. */
static const struct descriptor *next_blob(const struct save *save, uint64_t at)
{
	struct layout_segment segment;

	while (archive_layout_find(save->layout, at, &segment)) {
		if (segment.blob)
			return segment.blob;
		at = segment.offset + segment.size;
	}
	return NULL;
}

static bool is_first(struct save *save, const struct descriptor *blob)
{
	SCOPED_LOCK(&save->lock);
	if (digest_equal(&save->ahead, &blob->digest))
		return false;
	save->ahead = blob->digest;
	return true;
}

/* The blob that ends at that place is being read. */
static void look_ahead(struct save *save, uint64_t end)
{
	const struct descriptor *blob = next_blob(save, end);
	struct ahead *ahead;

	if (!blob || !is_first(save, blob) ||
	    !store_can_keep(images_store(save->image->images), blob->size) ||
	    !(ahead = malloc(sizeof(*ahead))))
		return;
	*ahead = (struct ahead){save_get(save), blob};
	if (pool_submit(images_ahead(save->image->images), fetch_ahead, ahead,
		ERR_IGNORE) < 0) {
		save_put(save);
		free(ahead);
	}
}

ssize_t save_read(struct save *save, void *data, size_t len, uint64_t off,
    struct err *err)
{
	struct layout_segment segment;
	char text[DIGEST_TEXT_SIZE];
	size_t done = 0;

	while (done < len &&
	       archive_layout_find(save->layout, off + done, &segment)) {
		uint64_t at = off + done - segment.offset;
		size_t piece = len - done;
		ssize_t n = (ssize_t)piece;

		if (piece > segment.size - at)
			n = (ssize_t)(piece = (size_t)(segment.size - at));
		if (segment.data)
			memcpy((char *)data + done,
			    (const char *)segment.data + at, piece);
		else
			n = save_read_blob(save, segment.blob,
			    (char *)data + done, piece, at, err);
		if (n < 0)
			return n;
		if (n == 0)
			return err_set(err, EIO,
			    "blob %s is shorter than its descriptor says",
			    digest_format(&segment.blob->digest, text));
		if (!segment.data && at + piece >= AHEAD_AFTER)
			look_ahead(save, segment.offset + segment.size);
		done += (size_t)n;
	}
	return (ssize_t)done;
}
