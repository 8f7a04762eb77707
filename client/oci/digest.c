/* SPDX-License-Identifier: Apache-2.0 */
/* Digests as text and as computed by libcrypto. */
#include "oci/digest.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#include "base/parse.h"

struct algorithm {
	const char *name;
	size_t bytes;
	const char *evp_name;
};

static const struct algorithm algorithms[] = {
    [DIGEST_SHA256] = {"sha256", 32, "SHA256"},
    [DIGEST_SHA512] = {"sha512", 64, "SHA512"},
};

#define ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

/*
 * Fetching an implementation from libcrypto's providers takes a lock and a
 * search, which the shared objects of libcrypto would repeat for each digest.
 * Constant once set.
 */
static EVP_MD *implementations[ALGORITHMS];
static pthread_once_t implementations_once = PTHREAD_ONCE_INIT;

static void implementations_fetch(void)
{
	for (size_t i = DIGEST_SHA256; i < ALGORITHMS; i++)
		implementations[i] =
		    EVP_MD_fetch(NULL, algorithms[i].evp_name, NULL);
}

static const EVP_MD *implementation(enum digest_algorithm algorithm)
{
	assert(algorithm > DIGEST_NONE && algorithm < ALGORITHMS);
	pthread_once(&implementations_once, implementations_fetch);
	return implementations[algorithm];
}

static int crypto_failed(enum digest_algorithm algorithm, struct err *err)
{
	return err_set(err, EIO, "libcrypto cannot compute %s",
	    algorithms[algorithm].name);
}

static int parse_encoded(struct digest *digest, enum digest_algorithm algorithm,
    const char *encoded, struct err *err)
{
	const struct algorithm *a = &algorithms[algorithm];
	struct digest parsed = {.algorithm = algorithm};

	if (!parse_hex(&encoded, parsed.bytes, a->bytes) || *encoded)
		return err_set(err, EINVAL,
		    "a %s digest is %zu lower-case hexadecimal digits", a->name,
		    2 * a->bytes);
	*digest = parsed;
	return 0;
}

int digest_parse(struct digest *digest, const char *text, struct err *err)
{
	char shown[64];
	const char *colon = strchr(text, ':');

	for (size_t i = DIGEST_SHA256; colon && i < ALGORITHMS; i++) {
		size_t len = strlen(algorithms[i].name);

		if (len == (size_t)(colon - text) &&
		    memcmp(text, algorithms[i].name, len) == 0)
			return parse_encoded(digest, (enum digest_algorithm)i,
			    colon + 1, err);
	}
	err_clean(shown, sizeof(shown), text, strlen(text));
	if (!colon)
		return err_set(err, EINVAL, "\"%s\" is not a digest", shown);
	return err_set(err, EINVAL,
	    "the algorithm of the digest \"%s\" is neither sha256 nor sha512",
	    shown);
}

const char *digest_algorithm_name(enum digest_algorithm algorithm)
{
	assert(algorithm > DIGEST_NONE && algorithm < ALGORITHMS);
	return algorithms[algorithm].name;
}

static void write_hex(const struct digest *digest, char *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t bytes = algorithms[digest->algorithm].bytes;

	for (size_t i = 0; i < bytes; i++) {
		out[2 * i] = digits[digest->bytes[i] >> 4];
		out[2 * i + 1] = digits[digest->bytes[i] & 15];
	}
	out[2 * bytes] = '\0';
}

const char *digest_hex(const struct digest *digest, char out[DIGEST_TEXT_SIZE])
{
	assert(digest_is_set(digest));
	write_hex(digest, out);
	return out;
}

const char *digest_format(const struct digest *digest,
    char out[DIGEST_TEXT_SIZE])
{
	const char *name = digest_algorithm_name(digest->algorithm);
	size_t len = strlen(name);

	memcpy(out, name, len);
	out[len] = ':';
	write_hex(digest, out + len + 1);
	return out;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return a->algorithm == b->algorithm &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

int digest_of(enum digest_algorithm algorithm, const void *data, size_t len,
    struct digest *out, struct err *err)
{
	const EVP_MD *md = implementation(algorithm);
	struct digest computed = {.algorithm = algorithm};

	if (!md || !EVP_Digest(data, len, computed.bytes, NULL, md, NULL))
		return crypto_failed(algorithm, err);
	*out = computed;
	return 0;
}

int digest_check_size(const struct digest *digest, uint64_t size,
    struct err *err)
{
	char text[DIGEST_TEXT_SIZE];
	struct digest empty;
	int r;

	if (size > 0)
		return 0;
	r = digest_of(digest->algorithm, "", 0, &empty, err);
	if (r < 0 || digest_equal(digest, &empty))
		return r;
	return err_set(err, EBADMSG,
	    "%s cannot have the size 0, which a manifest gives it: it is not "
	    "the digest of an empty file",
	    digest_format(digest, text));
}

struct hasher {
	EVP_MD_CTX *context; /* NULL once finished */
	enum digest_algorithm algorithm;
};

struct hasher *hasher_new(enum digest_algorithm algorithm, struct err *err)
{
	const EVP_MD *md = implementation(algorithm);
	CLEANUP(hasher_free_p)
	struct hasher *hasher = calloc(1, sizeof(*hasher));

	if (!hasher || !(hasher->context = EVP_MD_CTX_new())) {
		err_nomem(err);
		return NULL;
	}
	hasher->algorithm = algorithm;
	if (!md || !EVP_DigestInit_ex2(hasher->context, md, NULL)) {
		crypto_failed(algorithm, err);
		return NULL;
	}
	return steal(&hasher);
}

int hasher_update(struct hasher *hasher, const void *data, size_t len,
    struct err *err)
{
	assert(hasher->context);
	if (!EVP_DigestUpdate(hasher->context, data, len))
		return crypto_failed(hasher->algorithm, err);
	return 0;
}

int hasher_finish(struct hasher *hasher, struct digest *out, struct err *err)
{
	struct digest computed = {.algorithm = hasher->algorithm};
	int ok;

	assert(hasher->context);
	ok = EVP_DigestFinal_ex(hasher->context, computed.bytes, NULL);
	EVP_MD_CTX_free(steal(&hasher->context));
	if (!ok)
		return crypto_failed(hasher->algorithm, err);
	*out = computed;
	return 0;
}

void hasher_free(struct hasher *hasher)
{
	if (!hasher)
		return;
	EVP_MD_CTX_free(hasher->context);
	free(hasher);
}
