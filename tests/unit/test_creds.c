/* SPDX-License-Identifier: Apache-2.0 */
/* Which files are asked, and in which order. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/strf.h"
#include "creds/creds.h"
#include "creds/secret.h"
#include "scratch.h"

/* base64 of "u:0" … "u:5" */
static const char *const auths[] = {"dTow", "dTox", "dToy", "dToz", "dTo0",
    "dTo1"};

static struct scratch scratch;

static void write_file(const char *name, const char *text)
{
	AUTO_FREE char *path = strf("%s/%s", scratch.path, name);
	AUTO_FREE char *parent =
	    strndup(path, (size_t)(strrchr(path, '/') - path));
	struct err err = ERR_INIT;
	FILE *file;

	assert_int_equal(file_mkdirs(parent, 0700, &err), 0);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* An auth file whose password for r.io is the number. */
static void write_auth(const char *name, int number)
{
	AUTO_FREE char *text =
	    strf("{\"auths\":{\"r.io\":{\"auth\":\"%s\"}}}", auths[number]);

	write_file(name, text);
}

static void remove_file(const char *name)
{
	AUTO_FREE char *path = strf("%s/%s", scratch.path, name);

	assert_int_equal(unlink(path), 0);
}

static void set_env(const char *name, const char *path)
{
	AUTO_FREE char *value = strf("%s/%s", scratch.path, path);

	setenv(name, value, 1);
}

static int setup(void **state)
{
	(void)state;
	if (scratch_make(&scratch) < 0)
		return -1;
	unsetenv("REGISTRY_AUTH_FILE");
	unsetenv("DOCKER_AUTH_CONFIG");
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("DOCKER_CONFIG");
	set_env("HOME", "home");
	set_env("XDG_RUNTIME_DIR", "run");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return scratch_remove(&scratch);
}

static void assert_password(struct creds *creds, const char *want)
{
	struct credential found;
	struct err err = ERR_INIT;
	int r = creds_lookup(creds, "r.io", "app", &found, &err);

	assert_int_equal(r, want ? 1 : 0);
	if (want)
		assert_string_equal(found.password, want);
	credential_release(&found);
}

static void test_order_of_files(void **state)
{
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p) struct creds *creds = NULL;

	(void)state;
	creds = creds_new(NULL, &err);
	assert_non_null(creds);
	assert_password(creds, NULL);
	write_auth("home/.dockercfg", 5);
	assert_password(creds, "5");
	write_auth("home/.docker/config.json", 4);
	assert_password(creds, "4");
	write_auth("home/.config/containers/auth.json", 3);
	assert_password(creds, "3");
	write_auth("run/containers/auth.json", 2);
	assert_password(creds, "2");
	/* One that knows nothing of the host passes it on. */
	write_file("run/containers/auth.json", "{\"auths\":{\"r.io\":{}}}");
	assert_password(creds, "3");
	remove_file("home/.config/containers/auth.json");
	assert_password(creds, "4");
}

/* Asserts whether something has changed since the last time. */
static void assert_changed(struct creds *creds, uint64_t *version, bool want)
{
	uint64_t now = creds_version(creds);

	assert_int_equal(now > *version, want);
	assert_true(now >= *version);
	*version = now;
}

/* Each of the files, also one that another one takes precedence over: nobody
 * knows which hosts are in which. */
static void test_versions(void **state)
{
	static const char *const files[] = {"run/containers/auth.json",
	    "home/.config/containers/auth.json", "home/.docker/config.json",
	    "home/.dockercfg"};
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p) struct creds *creds = creds_new(NULL, &err);
	AUTO_FREE char *old = strf("%s/old", scratch.path);
	uint64_t version = creds_version(creds);

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		AUTO_FREE char *path = strf("%s/%s", scratch.path, files[i]);
		struct timespec times[2] = {{0, UTIME_OMIT}, {1, 1}};

		assert_changed(creds, &version, false);
		write_auth(files[i], 1);
		assert_changed(creds, &version, true);
		assert_changed(creds, &version, false);
		/* Of the same size, and a nanosecond later. */
		for (; times[1].tv_nsec < 4; times[1].tv_nsec++) {
			utimensat(AT_FDCWD, path, times, 0);
			assert_changed(creds, &version, true);
		}
		/* Another file, of the same size and time. */
		assert_int_equal(rename(path, old), 0);
		write_auth(files[i], 2);
		utimensat(AT_FDCWD, path, times, 0);
		assert_changed(creds, &version, true);
		write_file(files[i], "{}");
		utimensat(AT_FDCWD, path, times, 0);
		assert_changed(creds, &version, true);
		remove_file(files[i]);
		assert_changed(creds, &version, true);
	}
	assert_changed(creds, &version, false);
}

static void test_environment(void **state)
{
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p) struct creds *creds = NULL;

	(void)state;
	set_env("XDG_CONFIG_HOME", "config");
	set_env("DOCKER_CONFIG", "docker");
	write_auth("docker/config.json", 4);
	creds = creds_new(NULL, &err);
	assert_password(creds, "4");
	write_auth("config/containers/auth.json", 3);
	assert_password(creds, "3");
	creds_free(creds);
	setenv("DOCKER_AUTH_CONFIG",
	    "{\"auths\":{\"r.io\":{\"auth\":\"dTox\"}}}", 1);
	creds = creds_new(NULL, &err);
	assert_password(creds, "1");
	creds_free(creds);
	set_env("REGISTRY_AUTH_FILE", "only.json");
	creds = creds_new(NULL, &err);
	assert_password(creds, NULL);
	write_auth("only.json", 0);
	assert_password(creds, "0");
}

/* docker goes on to the files, and so do we. */
static void test_broken_environment(void **state)
{
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p) struct creds *creds = NULL;

	(void)state;
	setenv("DOCKER_AUTH_CONFIG", "{no JSON", 1);
	write_auth("home/.docker/config.json", 4);
	creds = creds_new(NULL, &err);
	assert_password(creds, "4");
}

static void test_authfile(void **state)
{
	AUTO_FREE char *path = strf("%s/given.json", scratch.path);
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p) struct creds *creds = NULL;

	(void)state;
	set_env("REGISTRY_AUTH_FILE", "other.json");
	write_auth("other.json", 1);
	assert_null(creds_new(path, &err));
	assert_int_equal(err.code, ENOENT);
	assert_non_null(strstr(err.msg, path));
	write_auth("given.json", 2);
	creds = creds_new(path, &err);
	assert_password(creds, "2");
}

static void test_relative_authfile(void **state)
{
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p) struct creds *creds = NULL;

	(void)state;
	write_auth("given.json", 2);
	assert_int_equal(chdir(scratch.path), 0);
	creds = creds_new("given.json", &err);
	assert_int_equal(chdir("/"), 0);
	assert_password(creds, "2");
}

static void test_broken_file(void **state)
{
	struct credential found;
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p) struct creds *creds = NULL;

	(void)state;
	creds = creds_new(NULL, &err);
	write_file("home/.docker/config.json", "{\"auths\":");
	assert_int_equal(creds_lookup(creds, "r.io", NULL, &found, &err),
	    -EINVAL);
	assert_non_null(strstr(err.msg, "home/.docker/config.json: "));
	/* What is found before it is not held up by it. */
	write_auth("run/containers/auth.json", 2);
	assert_password(creds, "2");
}

static void test_helper_before_file(void **state)
{
	AUTO_FREE char *path = strf("%s/bin:%s", scratch.path, getenv("PATH"));
	AUTO_FREE char *program =
	    strf("%s/bin/docker-credential-test", scratch.path);
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p) struct creds *creds = NULL;

	(void)state;
	setenv("PATH", path, 1);
	write_file("home/.docker/config.json",
	    "{\"credHelpers\":{\"r.io\":\"test\"},"
	    "\"auths\":{\"r.io\":{\"auth\":\"dTox\"}}}");
	write_file("bin/docker-credential-test",
	    "#!/bin/sh\necho '{\"Username\":\"u\",\"Secret\":\"helper\"}'\n");
	assert_int_equal(chmod(program, 0755), 0);
	creds = creds_new(NULL, &err);
	assert_password(creds, "helper");
	write_file("bin/docker-credential-test",
	    "#!/bin/sh\necho credentials not found in native keychain\n"
	    "exit 1\n");
	creds_ask_again(creds, "r.io", CREDS_CHANGE);
	assert_password(creds, "1");
}

static void test_helper_is_asked_again(void **state)
{
	AUTO_FREE char *path = strf("%s/bin:%s", scratch.path, getenv("PATH"));
	AUTO_FREE char *program =
	    strf("%s/bin/docker-credential-test", scratch.path);
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p) struct creds *creds = NULL;
	uint64_t version;

	(void)state;
	setenv("PATH", path, 1);
	write_file("home/.docker/config.json",
	    "{\"credHelpers\":{\"r.io\":\"test\"}}");
	write_file("bin/docker-credential-test",
	    "#!/bin/sh\necho '{\"Username\":\"u\",\"Secret\":\"1\"}'\n");
	assert_int_equal(chmod(program, 0755), 0);
	creds = creds_new(NULL, &err);
	creds_ask_again(creds, "r.io", CREDS_CHANGE);
	version = creds_version(creds);
	assert_password(creds, "1");
	creds_ask_again(creds, "r.io", CREDS_CHANGE);
	assert_int_equal(creds_version(creds), version);
	write_file("bin/docker-credential-test",
	    "#!/bin/sh\necho '{\"Username\":\"u\",\"Secret\":\"2\"}'\n");
	creds_ask_again(creds, "r.io", CREDS_CHANGE);
	assert_int_equal(creds_version(creds), version + 1);
	/* What fails says nothing. */
	write_file("bin/docker-credential-test", "#!/bin/sh\nexit 2\n");
	creds_ask_again(creds, "r.io", CREDS_CHANGE);
	assert_int_equal(creds_version(creds), version + 1);
	write_file("bin/docker-credential-test",
	    "#!/bin/sh\necho credentials not found in native keychain\n"
	    "exit 1\n");
	creds_ask_again(creds, "r.io", CREDS_CHANGE);
	assert_int_equal(creds_version(creds), version + 2);
}

static void test_hub_helper_is_asked_by_both_names(void **state)
{
	AUTO_FREE char *path = strf("%s/bin:%s", scratch.path, getenv("PATH"));
	AUTO_FREE char *program =
	    strf("%s/bin/docker-credential-test", scratch.path);
	struct credential found;
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p) struct creds *creds = NULL;

	(void)state;
	setenv("PATH", path, 1);
	write_file("home/.docker/config.json", "{\"credsStore\":\"test\"}");
	write_file("bin/docker-credential-test",
	    "#!/bin/sh\nread -r s\n"
	    "[ \"$s\" = https://index.docker.io/v1/ ] &&"
	    " echo credentials not found && exit 1\n"
	    "echo "
	    "\"{\\\"Username\\\":\\\"u\\\",\\\"Secret\\\":\\\"$s\\\"}\"\n");
	assert_int_equal(chmod(program, 0755), 0);
	creds = creds_new(NULL, &err);
	assert_int_equal(creds_lookup(creds, "registry-1.docker.io", NULL,
			     &found, &err),
	    1);
	assert_string_equal(found.password, "docker.io");
	credential_release(&found);
}

static void test_basic(void **state)
{
	char user[] = "Aladdin", password[] = "open sesame";
	struct credential credential = {user, password, NULL, NULL};
	AUTO_SECRET char *basic = credential_basic(&credential);

	(void)state;
	/* The example of RFC 7617 section 2. */
	assert_string_equal(basic, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_order_of_files),
	    TEST(test_versions),
	    TEST(test_environment),
	    TEST(test_broken_environment),
	    TEST(test_authfile),
	    TEST(test_relative_authfile),
	    TEST(test_broken_file),
	    TEST(test_helper_before_file),
	    TEST(test_helper_is_asked_again),
	    TEST(test_hub_helper_is_asked_by_both_names),
	    TEST(test_basic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
