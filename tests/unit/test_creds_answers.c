/* SPDX-License-Identifier: Apache-2.0 */
/* What credential helpers say is kept, and when they are asked again. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/strf.h"
#include "creds/creds.h"
#include "creds/secret.h"
#include "scratch.h"

static struct scratch scratch;
static struct creds *creds;

static void write_file(const char *name, const char *text)
{
	AUTO_FREE char *path = strf("%s/%s", scratch.path, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* A helper whose runs are counted, and which then does that. */
static void write_helper(const char *script)
{
	AUTO_FREE char *program =
	    strf("%s/docker-credential-test", scratch.path);
	AUTO_FREE char *text = strf("#!/bin/sh\n"
				    "read -r server\n"
				    "echo >> %s/asked\n"
				    "say() { echo \"{\\\"Username\\\":"
				    "\\\"u\\\",\\\"Secret\\\":\\\"$1\\\"}"
				    "\"; }\n"
				    "%s\n",
	    scratch.path, script);

	write_file("docker-credential-test", text);
	assert_int_equal(chmod(program, 0755), 0);
}

static unsigned runs(void)
{
	AUTO_FREE char *path = strf("%s/asked", scratch.path);
	struct stat st;

	return stat(path, &st) < 0 ? 0 : (unsigned)st.st_size;
}

static int setup(void **state)
{
	AUTO_FREE char *path = NULL, *authfile = NULL;
	struct err err = ERR_INIT;

	(void)state;
	if (scratch_make(&scratch) < 0)
		return -1;
	path = strf("%s:%s", scratch.path, getenv("PATH"));
	authfile = strf("%s/config.json", scratch.path);
	setenv("PATH", path, 1);
	write_file("config.json", "{\"credsStore\":\"test\"}");
	creds = creds_new(authfile, &err);
	return creds ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	creds_free(creds);
	return scratch_remove(&scratch);
}

/* want: NULL where none is expected. */
static void assert_password(const char *host, const char *want)
{
	CLEANUP(credential_release) struct credential found = {0};
	struct err err = ERR_INIT;
	int r = creds_lookup(creds, host, NULL, &found, &err);

	assert_int_equal(r, want != NULL);
	if (want)
		assert_string_equal(found.password, want);
}

static void test_one_run_serves_all_scopes(void **state)
{
	(void)state;
	write_helper("say 1");
	for (int i = 0; i < 5; i++)
		assert_password("r.io", "1");
	assert_int_equal(runs(), 1);
	/* It is not due, and nothing is in doubt. */
	creds_ask_again(creds, "r.io", CREDS_FINE);
	assert_int_equal(runs(), 1);
	creds_ask_again(creds, "r.io", CREDS_CHANGE);
	creds_ask_again(creds, "r.io", CREDS_CHANGE);
	assert_int_equal(runs(), 3);
}

static void test_a_refusal_asks_once(void **state)
{
	(void)state;
	write_helper("say 1");
	assert_password("r.io", "1");
	for (int i = 0; i < 5; i++)
		creds_ask_again(creds, "r.io", CREDS_REFUSED);
	assert_int_equal(runs(), 2);
	/* It says something else, which can be refused as well. */
	write_helper("say 2");
	creds_ask_again(creds, "r.io", CREDS_CHANGE);
	for (int i = 0; i < 5; i++)
		creds_ask_again(creds, "r.io", CREDS_REFUSED);
	assert_int_equal(runs(), 4);
	assert_password("r.io", "2");
}

static void test_that_there_is_none_is_kept(void **state)
{
	(void)state;
	write_helper("echo credentials not found in native keychain; exit 1");
	for (int i = 0; i < 5; i++)
		assert_password("r.io", NULL);
	assert_int_equal(runs(), 1);
}

static void test_empty_words_are_none(void **state)
{
	(void)state;
	write_helper("echo '{\"Username\":\"\",\"Secret\":\"\"}'");
	assert_password("r.io", NULL);
}

static void test_hosts_do_not_change_one_another(void **state)
{
	uint64_t version;

	(void)state;
	write_helper("say $server");
	assert_password("a.io", "a.io");
	version = creds_version(creds);
	for (int i = 0; i < 3; i++) {
		assert_password("b.io", "b.io");
		assert_password("a.io", "a.io");
		creds_ask_again(creds, "b.io", CREDS_CHANGE);
	}
	assert_int_equal(creds_version(creds), version);
	/* A change for one that was not the last to be asked for. */
	write_helper("[ $server = a.io ] && say 2 || say $server");
	creds_ask_again(creds, "b.io", CREDS_CHANGE);
	assert_int_equal(creds_version(creds), version);
	creds_ask_again(creds, "a.io", CREDS_CHANGE);
	assert_int_equal(creds_version(creds), version + 1);
	assert_password("a.io", "2");
}

static void test_another_helper(void **state)
{
	(void)state;
	write_helper("say 1");
	assert_password("r.io", "1");
	write_helper("say 2");
	write_file("config.json", "{\"credHelpers\":{\"r.io\":\"test\"}}");
	creds_version(creds);
	assert_password("r.io", "2");
}

static void test_a_failure_leaves_what_was_said(void **state)
{
	struct credential found;
	struct err err = ERR_INIT;

	(void)state;
	write_helper("exit 2");
	assert_int_equal(creds_lookup(creds, "r.io", NULL, &found, &err), -EIO);
	assert_non_null(strstr(err.msg, "docker-credential-test"));
	write_helper("say 1");
	creds_ask_again(creds, "r.io", CREDS_CHANGE);
	assert_password("r.io", "1");
	write_helper("exit 2");
	creds_ask_again(creds, "r.io", CREDS_CHANGE);
	assert_password("r.io", "1");
}

static void *look_up(void *arg)
{
	(void)arg;
	assert_password("r.io", "1");
	return NULL;
}

static void test_many_wait_for_one(void **state)
{
	enum { THREADS = 8 };
	pthread_t threads[THREADS];

	(void)state;
	/* Longer than it takes them to come. */
	write_helper("sleep 0.3; say 1");
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_up,
				     NULL),
		    0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(runs(), 1);
}

static void test_many_hosts(void **state)
{
	char host[16];

	(void)state;
	write_helper("say $server");
	/* More than are kept. */
	for (int i = 0; i < 70; i++) {
		snprintf(host, sizeof(host), "r%d.io", i);
		assert_password(host, host);
	}
	assert_password("r0.io", "r0.io");
	assert_int_equal(runs(), 71);
	assert_password("r69.io", "r69.io");
	assert_int_equal(runs(), 71);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_one_run_serves_all_scopes),
	    TEST(test_a_refusal_asks_once),
	    TEST(test_that_there_is_none_is_kept),
	    TEST(test_empty_words_are_none),
	    TEST(test_hosts_do_not_change_one_another),
	    TEST(test_another_helper),
	    TEST(test_a_failure_leaves_what_was_said),
	    TEST(test_many_wait_for_one),
	    TEST(test_many_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
