/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of certificates. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/strf.h"
#include "scratch.h"
#include "session/certs.h"

static struct scratch scratch;
static const char *const dir = scratch.path;

static int setup(void **state)
{
	(void)state;
	return scratch_make(&scratch);
}

static int teardown(void **state)
{
	(void)state;
	return scratch_remove(&scratch);
}

static void touch(const char *parent, const char *name)
{
	AUTO_FREE char *path = strf("%s/%s", parent, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fclose(file);
}

static void assert_in(const char *parent, const char *path, const char *name)
{
	AUTO_FREE char *want = strf("%s/%s", parent, name);

	assert_non_null(path);
	assert_string_equal(path, want);
}

static void missing(void **state)
{
	AUTO_FREE char *path = strf("%s/none", dir);
	struct certs certs;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(certs_load(path, &certs, &err), 0);
	assert_null(certs.ca_files);
}

static void everything(void **state)
{
	CLEANUP(certs_release) struct certs certs;
	struct err err = ERR_INIT;

	(void)state;
	touch(dir, "b.crt");
	touch(dir, "a.crt");
	touch(dir, "me.cert");
	touch(dir, "me.key");
	touch(dir, "second.cert");
	touch(dir, "second.key");
	touch(dir, "README");
	touch(dir, ".crt");
	assert_int_equal(certs_load(dir, &certs, &err), 1);
	assert_in(dir, certs.ca_files[0], "a.crt");
	assert_in(dir, certs.ca_files[1], "b.crt");
	assert_null(certs.ca_files[2]);
	assert_in(dir, certs.cert_file, "me.cert");
	assert_in(dir, certs.key_file, "me.key");
}

static void no_key(void **state)
{
	CLEANUP(certs_release) struct certs certs;
	struct err err = ERR_INIT;

	(void)state;
	touch(dir, "me.cert");
	touch(dir, "you.key");
	assert_int_equal(certs_load(dir, &certs, &err), -EINVAL);
	assert_non_null(
	    strstr(err.msg, "me.cert: the key (*.key) is missing beside it"));
}

static void no_cert(void **state)
{
	CLEANUP(certs_release) struct certs certs;
	struct err err = ERR_INIT;

	(void)state;
	touch(dir, "me.key");
	assert_int_equal(certs_load(dir, &certs, &err), -EINVAL);
	assert_non_null(
	    strstr(err.msg, "me.key: the certificate (*.cert) is missing "
			    "beside it"));
}

static void own_directory(void **state)
{
	AUTO_FREE char *path =
	    strf("%s/.config/containers/certs.d/r.invalid:5000", dir);
	CLEANUP(certs_release) struct certs certs;
	struct certs other;
	struct err err = ERR_INIT;

	(void)state;
	setenv("HOME", dir, 1);
	assert_int_equal(file_mkdirs(path, 0700, &err), 0);
	touch(path, "ca.crt");
	assert_int_equal(certs_find("r.invalid:5000", &certs, &err), 0);
	assert_in(path, certs.ca_files[0], "ca.crt");
	/* The port is part of the name. */
	assert_int_equal(certs_find("r.invalid", &other, &err), 0);
	assert_null(other.ca_files);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(missing),
	    TEST(everything),
	    TEST(no_key),
	    TEST(no_cert),
	    TEST(own_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
