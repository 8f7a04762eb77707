/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of the blocks of blobs. */
#include "digests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oci/digest.h"

enum { SHA256_BYTES = 32, FIRST_CAP = 16 };

struct digests {
	uint64_t size; /* bytes added */
	uint8_t (*list)[SHA256_BYTES];
	size_t count, cap;
	struct hasher *hasher; /* of the block that is arriving; NULL: none */
};

struct digests *digests_new(struct err *err)
{
	struct digests *digests = calloc(1, sizeof(*digests));

	if (!digests)
		err_nomem(err);
	return digests;
}

void digests_free(struct digests *digests)
{
	if (!digests)
		return;
	hasher_free(digests->hasher);
	free(digests->list);
	free(digests);
}

/* Room for one more; the size that a manifest claims is no reason for any. */
static int reserve(struct digests *digests, struct err *err)
{
	size_t cap = digests->cap ? 2 * digests->cap : FIRST_CAP;
	void *list;

	if (digests->count < digests->cap)
		return 0;
	list = reallocarray(digests->list, cap, sizeof(*digests->list));
	if (!list)
		return err_nomem(err);
	digests->list = list;
	digests->cap = cap;
	return 0;
}

/* The block that was arriving is there. */
static int end_block(struct digests *digests, struct err *err)
{
	CLEANUP(hasher_free_p) struct hasher *hasher = steal(&digests->hasher);
	struct digest digest;
	int r = reserve(digests, err);

	if (r == 0)
		r = hasher_finish(hasher, &digest, err);
	if (r == 0)
		memcpy(digests->list[digests->count++], digest.bytes,
		    SHA256_BYTES);
	return r;
}

int digests_add(struct digests *digests, const void *data, size_t len,
    struct err *err)
{
	const uint8_t *bytes = data;

	while (len > 0) {
		size_t left = DIGESTS_BLOCK - digests->size % DIGESTS_BLOCK;
		size_t now = len < left ? len : left;
		int r;

		if (!digests->hasher)
			digests->hasher = hasher_new(DIGEST_SHA256, err);
		if (!digests->hasher)
			return -err->code;
		r = hasher_update(digests->hasher, bytes, now, err);
		if (r == 0 && now == left)
			r = end_block(digests, err);
		if (r < 0)
			return r;
		digests->size += now;
		bytes += now;
		len -= now;
	}
	return 0;
}

int digests_end(struct digests *digests, struct err *err)
{
	return digests->hasher ? end_block(digests, err) : 0;
}

static int check_block(const struct digests *digests, const void *data,
    size_t len, uint64_t off, struct err *err)
{
	struct digest digest;
	int r = digest_of(DIGEST_SHA256, data, len, &digest, err);

	if (r < 0)
		return r;
	return memcmp(digest.bytes, digests->list[off / DIGESTS_BLOCK],
		   SHA256_BYTES) == 0
		   ? 0
		   : err_set(err, EBADMSG,
			 "the %zu bytes from %llu on are not those that came "
			 "before",
			 len, (unsigned long long)off);
}

int digests_check(const struct digests *digests, const void *data, size_t len,
    uint64_t off, struct err *err)
{
	const uint8_t *bytes = data;
	int r = 0;

	while (r == 0 && len > 0) {
		size_t now = len < DIGESTS_BLOCK ? len : DIGESTS_BLOCK;

		r = check_block(digests, bytes, now, off, err);
		bytes += now;
		off += now;
		len -= now;
	}
	return r;
}
