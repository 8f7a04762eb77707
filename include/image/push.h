/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A push: an archive that is being written into a spool becomes a tag. Layers
 * are hashed, compressed and sent side by side while the rest still arrives;
 * what the registry has is not sent.
 *
 *	push_new(&target, spool, &push, err);
 *	for each write: spool_write(…); r = push_advance(push, err);
 *	at a close:     r = push_end(push, is_last, err);
 *
 * The call that sees the archive complete does not return before the registry
 * has the image or has refused it. One thread at a time.
 */
#ifndef IMAGE_PUSH_H
#define IMAGE_PUSH_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "image/images.h"
#include "image/spool.h"

struct push;

/* spool is borrowed and outlives it; names are copied. Asks nothing yet. */
int push_new(const struct tag_ref *target, struct spool *spool,
    struct push **out, struct err *err);

/* Where an image of an archive goes. */
struct push_place {
	struct images *images;
	char repository[REPOSITORY_MAX + 1];
	char tag[TAG_MAX + 1];
};

/*
 * A directory into which an archive is written that may have several images:
 * each becomes what its name in the archive says.
 */
struct push_bundle {
	const char *path; /* the directory's, for messages: copied */
	/*
	 * Finds the place of a name, a reference with a tag: 1, or 0 where that
	 * is not in the directory; -errno with a sentence where it cannot be
	 * told.
	 */
	int (*place)(const void *arg, const char *name, struct push_place *out,
	    struct err *err);
	const void *arg; /* borrowed */
	/* What an archive becomes that has but one image, or one with this tag:
	 * copied. Without images: there each goes by its name alone. */
	struct tag_ref tag;
};

/*
 * The same of a bundle; its bytes are kept until it is whole, and what is said
 * of one that fails names what was pushed and what was not. It is refused,
 * and nothing is pushed, where an image in it is not of the directory.
 */
int push_bundle_new(const struct push_bundle *bundle, struct store *store,
    struct spool *spool, struct push **out, struct err *err);

/* Gives up what is under way, waits until its threads have let go, frees. */
void push_free(struct push *push);

/* The same; events and status then say why (NULL, or code 0: that it was given
 * up before the archive was complete). */
void push_give_up(struct push *push, const struct err *why);

DEFINE_CLEANUP(struct push *, push_free);

/*
 * Looks at what has come in after the gapless front. 1: the archive was
 * complete and has been pushed (at this call or an earlier one); 0: more is
 * needed. Else the push has failed, for good: -EINVAL (no archive, or a broken
 * one, or bytes after its end), -EACCES, -EPERM, -EIO, … with a sentence;
 * -EINTR when the caller's task was interrupted, likewise for good. The caller
 * keeps the sentence, and asks for nothing more than push_may_go_on().
 *
 * data, when not NULL, are the len bytes at off that have just been written: it
 * saves reading them back.
 */
int push_advance(struct push *push, const void *data, size_t len, uint64_t off,
    struct err *err);

/*
 * A writer has closed, and (is_last) it was the one that opened the file, so
 * that nothing more is to come. As push_advance(), but what stands without an
 * end mark is pushed where it is whole; 0 only where nothing at all has been
 * written, or where it may be whole and may go on, unless is_last. -EINVAL for
 * an archive that has not ended: not final, more may come.
 */
int push_end(struct push *push, bool is_last, struct err *err);

/* After a call that failed: whether it did so because the archive has not
 * ended, so that more may come. */
bool push_may_go_on(const struct push *push);

/* What it has become: the digest of its manifest, which the tag names now.
 * After a 1; unset where it was a bundle. */
const struct digest *push_digest(const struct push *push);

#endif
