/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content digests, image-spec descriptor.md "Digests": algorithm ":" encoded.
 * sha256 and sha512 are known; anything else is refused when it is parsed.
 */
#ifndef OCI_DIGEST_H
#define OCI_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

enum digest_algorithm { DIGEST_NONE, DIGEST_SHA256, DIGEST_SHA512 };

enum { DIGEST_MAX_BYTES = 64, DIGEST_TEXT_SIZE = 7 + 2 * 64 + 1 };

/* A value: copied, compared with digest_equal(); zeroed it is no digest. */
struct digest {
	enum digest_algorithm algorithm;
	uint8_t bytes[DIGEST_MAX_BYTES]; /* unused ones are zero */
};

/* Parses all of text. -EINVAL with a sentence. */
int digest_parse(struct digest *digest, const char *text, struct err *err);

/* "sha256:…", and only the hexadecimal after the colon. Returns out. */
const char *digest_format(const struct digest *digest,
    char out[DIGEST_TEXT_SIZE]);
const char *digest_hex(const struct digest *digest, char out[DIGEST_TEXT_SIZE]);
const char *digest_algorithm_name(enum digest_algorithm algorithm);

/* Same algorithm and same bytes: two that are unset are equal. */
bool digest_equal(const struct digest *a, const struct digest *b);

/* Whether it has an algorithm: a zeroed one has none. */
static inline bool digest_is_set(const struct digest *digest)
{
	return digest->algorithm != DIGEST_NONE;
}

/* The digest of one piece of memory. */
int digest_of(enum digest_algorithm algorithm, const void *data, size_t len,
    struct digest *out, struct err *err);

/*
 * Whether content of that digest can have that size, as far as it can be told
 * without the content: no bytes at all have one digest of each algorithm. 0, or
 * -EBADMSG with a sentence.
 */
int digest_check_size(const struct digest *digest, uint64_t size,
    struct err *err);

/* A digest being computed. */
struct hasher;

/* NULL on failure, err filled. */
struct hasher *hasher_new(enum digest_algorithm algorithm, struct err *err);
int hasher_update(struct hasher *hasher, const void *data, size_t len,
    struct err *err);
/* The digest of all that came so far; the hasher takes no more. */
int hasher_finish(struct hasher *hasher, struct digest *out, struct err *err);
void hasher_free(struct hasher *hasher);

DEFINE_CLEANUP(struct hasher *, hasher_free);

#endif
