/* SPDX-License-Identifier: Apache-2.0 */
/* Digests: what is one, and that they are computed right. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "oci/digest.h"

/* FIPS 180-4's examples. */
#define SHA256_ABC \
	"sha256:" \
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA512_ABC \
	"sha512:" \
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

static void refused(const char *text, const char *why)
{
	struct err err = ERR_INIT;
	struct digest digest = {.algorithm = DIGEST_NONE};

	assert_int_equal(digest_parse(&digest, text, &err), -EINVAL);
	assert_false(digest_is_set(&digest));
	if (!strstr(err.msg, why))
		fail_msg("%s: %s", text, err.msg);
}

static void round_trip(const char *text)
{
	struct err err = ERR_INIT;
	struct digest digest;
	char out[DIGEST_TEXT_SIZE];

	assert_int_equal(digest_parse(&digest, text, &err), 0);
	assert_string_equal(digest_format(&digest, out), text);
	assert_string_equal(digest_hex(&digest, out), strchr(text, ':') + 1);
}

static void text_is_parsed_and_formatted(void **state)
{
	(void)state;
	round_trip(SHA256_ABC);
	round_trip(SHA512_ABC);
	assert_string_equal(digest_algorithm_name(DIGEST_SHA512), "sha512");
}

static void other_text_is_refused(void **state)
{
	(void)state;
	refused("", "is not a digest");
	refused("latest", "is not a digest");
	refused("sha256", "is not a digest");
	refused("sha256:", "64 lower-case hexadecimal digits");
	refused(SHA256_ABC "0", "64 lower-case");
	refused("sha256:BA7816BF", "64 lower-case");
	refused("sha512:ba7816bf", "128 lower-case");
	refused("sha25:" SHA256_ABC, "neither sha256 nor sha512");
	refused("sha2567:ba", "neither sha256 nor sha512");
	refused("SHA256:ba", "neither sha256 nor sha512");
	refused(":ba", "neither sha256 nor sha512");
	refused("x\n\x1b[m:y", "\"x??[m:y\"");
}

static void equal_means_algorithm_and_bytes(void **state)
{
	struct err err = ERR_INIT;
	struct digest a, b, c;

	(void)state;
	assert_int_equal(digest_parse(&a, SHA256_ABC, &err), 0);
	assert_int_equal(digest_parse(&b, SHA256_ABC, &err), 0);
	assert_true(digest_equal(&a, &b));
	b.bytes[31] ^= 1;
	assert_false(digest_equal(&a, &b));
	c = a;
	c.algorithm = DIGEST_SHA512;
	assert_false(digest_equal(&a, &c));
}

static void memory_is_hashed(void **state)
{
	struct err err = ERR_INIT;
	struct digest digest;
	char out[DIGEST_TEXT_SIZE];

	(void)state;
	assert_int_equal(digest_of(DIGEST_SHA256, "abc", 3, &digest, &err), 0);
	assert_string_equal(digest_format(&digest, out), SHA256_ABC);
	assert_int_equal(digest_of(DIGEST_SHA512, "abc", 3, &digest, &err), 0);
	assert_string_equal(digest_format(&digest, out), SHA512_ABC);
	assert_int_equal(digest_of(DIGEST_SHA256, "{}", 2, &digest, &err), 0);
	assert_string_equal(digest_hex(&digest, out),
	    "44136fa355b3678a1146ad16f7e8649e"
	    "94fb4fc21fe77e8310c060f61caaff8a");
}

static void pieces_hash_as_the_whole(void **state)
{
	struct err err = ERR_INIT;
	struct digest digest;
	char out[DIGEST_TEXT_SIZE];

	(void)state;
	for (int i = 0; i < 2; i++) {
		CLEANUP(hasher_free_p)
		struct hasher *hasher =
		    hasher_new(i ? DIGEST_SHA512 : DIGEST_SHA256, &err);

		assert_non_null(hasher);
		assert_int_equal(hasher_update(hasher, "a", 1, &err), 0);
		assert_int_equal(hasher_update(hasher, NULL, 0, &err), 0);
		assert_int_equal(hasher_update(hasher, "bc", 2, &err), 0);
		assert_int_equal(hasher_finish(hasher, &digest, &err), 0);
		assert_string_equal(digest_format(&digest, out),
		    i ? SHA512_ABC : SHA256_ABC);
	}
}

static int check_size(const char *text, uint64_t size)
{
	struct err err = ERR_INIT;
	struct digest digest;
	int r;

	assert_int_equal(digest_parse(&digest, text, &err), 0);
	r = digest_check_size(&digest, size, &err);
	if (r < 0 && !strstr(err.msg, text))
		fail_msg("%s", err.msg);
	return r;
}

static void only_the_empty_digest_is_of_nothing(void **state)
{
	static const char empty_256[] =
	    "sha256:e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855";
	static const char empty_512[] =
	    "sha512:"
	    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36c"
	    "e9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da"
	    "3e";

	(void)state;
	assert_int_equal(check_size(empty_256, 0), 0);
	assert_int_equal(check_size(empty_512, 0), 0);
	assert_int_equal(check_size(SHA256_ABC, 0), -EBADMSG);
	assert_int_equal(check_size(SHA512_ABC, 0), -EBADMSG);
	/* What else is wrong is found when it is read. */
	assert_int_equal(check_size(SHA256_ABC, 3), 0);
	assert_int_equal(check_size(SHA256_ABC, 4), 0);
	assert_int_equal(check_size(empty_256, 4), 0);
}

static void unfinished_hasher_is_freed(void **state)
{
	struct err err = ERR_INIT;
	struct hasher *hasher = hasher_new(DIGEST_SHA256, &err);

	(void)state;
	assert_non_null(hasher);
	hasher_free(hasher);
	hasher_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_parsed_and_formatted),
	    cmocka_unit_test(other_text_is_refused),
	    cmocka_unit_test(equal_means_algorithm_and_bytes),
	    cmocka_unit_test(memory_is_hashed),
	    cmocka_unit_test(pieces_hash_as_the_whole),
	    cmocka_unit_test(only_the_empty_digest_is_of_nothing),
	    cmocka_unit_test(unfinished_hasher_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
