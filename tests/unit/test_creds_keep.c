/* SPDX-License-Identifier: Apache-2.0 */
/* Where logins are kept, and what a logout takes away. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/strf.h"
#include "creds/creds.h"
#include "creds/secret.h"
#include "scratch.h"

#define CONTAINERS "run/containers/auth.json"
#define CONFIG "home/.config/containers/auth.json"
#define DOCKER "home/.docker/config.json"
/* user u, password 0 */
#define ENTRY "{\"auth\":\"dTow\"}"

static struct scratch scratch;
static char user[] = "u", password[] = "1", token[] = "t";
static const struct credential login = {user, password, NULL, NULL};
static const struct credential identity = {user, NULL, token, NULL};

static char *path_of(const char *name)
{
	char *path = strf("%s/%s", scratch.path, name);

	assert_non_null(path);
	return path;
}

static void write_file(const char *name, const char *text)
{
	AUTO_FREE char *path = path_of(name);
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

static bool is_there(const char *name)
{
	AUTO_FREE char *path = path_of(name);

	return access(path, F_OK) == 0;
}

static int setup(void **state)
{
	AUTO_FREE char *home = NULL, *run = NULL, *bin = NULL;

	(void)state;
	if (scratch_make(&scratch) < 0)
		return -1;
	unsetenv("REGISTRY_AUTH_FILE");
	unsetenv("DOCKER_AUTH_CONFIG");
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("DOCKER_CONFIG");
	home = path_of("home");
	run = path_of("run");
	bin = strf("%s/bin:%s", scratch.path, getenv("PATH"));
	setenv("HOME", home, 1);
	setenv("XDG_RUNTIME_DIR", run, 1);
	setenv("PATH", bin, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return scratch_remove(&scratch);
}

static void assert_lookup(const char *host, const char *want)
{
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p) struct creds *creds = creds_new(NULL, &err);
	CLEANUP(credential_release) struct credential found = {0};

	assert_int_equal(creds_lookup(creds, host, NULL, &found, &err),
	    want != NULL);
	if (want)
		assert_string_equal(found.identity_token ? found.identity_token
							 : found.password,
		    want);
}

/* where: the place that it is kept in, below the scratch directory. */
static void assert_stored(const char *host, const struct credential *what,
    const char *where)
{
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p)
	struct creds *creds = creds_new_to_store(NULL, &err);
	AUTO_FREE char *said = NULL;

	assert_int_equal(creds_store(creds, host, what, &said, &err), 0);
	assert_string_equal(said + strlen(said) - strlen(where), where);
	assert_lookup(host,
	    what->identity_token ? what->identity_token : what->password);
}

static void test_a_user_of_nothing(void **state)
{
	AUTO_FREE char *path = path_of(DOCKER);
	struct stat st;

	(void)state;
	assert_stored("r.io", &login, DOCKER);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(is_there(CONTAINERS));
	/* And what is already there is widened to nobody. */
	assert_int_equal(chmod(path, 0644), 0);
	assert_stored("other.io", &identity, DOCKER);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_lookup("r.io", "1");
}

static void test_a_user_of_podman(void **state)
{
	(void)state;
	write_file(CONFIG, "{}");
	assert_stored("r.io", &login, CONFIG);
	write_file(CONTAINERS, "{}");
	assert_stored("other.io", &login, CONTAINERS);
	/* Where it was. */
	assert_stored("r.io", &identity, CONFIG);
	assert_false(is_there(DOCKER));
}

static void test_a_user_of_both(void **state)
{
	(void)state;
	write_file(DOCKER, "{}");
	write_file(CONTAINERS, "{\"auths\":{\"r.io\":" ENTRY "}}");
	assert_stored("other.io", &login, DOCKER);
	assert_stored("r.io", &login, CONTAINERS);
	write_file("home/.dockercfg", "{\"old.io\":" ENTRY "}");
	assert_lookup("old.io", "0");
	assert_stored("old.io", &login, DOCKER);
}

static void test_a_link_stays_one(void **state)
{
	AUTO_FREE char *path = path_of(DOCKER);
	AUTO_FREE char *target = path_of("dotfiles/docker.json");
	struct stat st;

	(void)state;
	write_file("dotfiles/docker.json", "{\"auths\":{}}");
	write_file(DOCKER, "");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(target, path), 0);
	assert_stored("r.io", &login, DOCKER);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

/* It keeps a line for each server in a file of its own. */
static void write_helper(void)
{
	AUTO_FREE char *program = path_of("bin/docker-credential-st");
	AUTO_FREE char *text =
	    strf("#!/bin/sh\n"
		 "cd %s && in=$(cat) && case $1 in\n"
		 "store) s=${in#*ServerURL\\\":\\\"}\n"
		 " s=${s%%%%\\\"*}\n"
		 " echo \"$in\" >\"kept-${s##*/}\" ;;\n"
		 "get) cat \"kept-${in##*/}\" 2>/dev/null ||"
		 " { echo credentials not found; exit 1; };;\n"
		 "erase) rm \"kept-${in##*/}\" ;;\n"
		 "esac\n",
		scratch.path);

	write_file("bin/docker-credential-st", text);
	assert_int_equal(chmod(program, 0755), 0);
}

static void assert_text(const char *name, const char *part, bool want)
{
	AUTO_FREE char *path = path_of(name);
	AUTO_BUF struct buf text = BUF_INIT(4096);
	struct err err = ERR_INIT;

	assert_int_equal(file_slurp(path, &text, &err), 0);
	assert_int_equal(strstr(buf_str(&text), part) != NULL, want);
}

static void test_helpers(void **state)
{
	(void)state;
	write_helper();
	write_file(DOCKER, "{\"credHelpers\":{\"r.io\":\"st\"}}");
	assert_stored("r.io", &login, "docker-credential-st");
	assert_true(is_there("kept-r.io"));
	/* As docker has it: the host is named, and has no secret. */
	assert_text(DOCKER, "\"r.io\": {}", true);
	assert_stored("other.io", &login, DOCKER);
	write_file(CONTAINERS, "{\"credHelpers\":{\"p.io\":\"st\"}}");
	assert_stored("p.io", &identity, "docker-credential-st");
	assert_text("kept-p.io", "<token>", true);
}

static void note(void *arg, const char *where)
{
	(void)where;
	++*(unsigned *)arg;
}

static void assert_erased(const char *host, unsigned want)
{
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p)
	struct creds *creds = creds_new_to_store(NULL, &err);
	unsigned places = 0;

	assert_int_equal(creds_erase(creds, host, note, &places, &err), want);
	assert_int_equal(places, want);
	assert_lookup(host, NULL);
}

static void test_erase(void **state)
{
	(void)state;
	write_helper();
	write_file(DOCKER, "{\"credsStore\":\"st\"}");
	assert_stored("r.io", &login, "docker-credential-st");
	write_file(CONTAINERS,
	    "{\"auths\":{\"r.io\":" ENTRY ",\"r.io/a\":" ENTRY "}}");
	write_file("home/.dockercfg", "{\"r.io\":" ENTRY "}");
	assert_erased("r.io", 3);
	assert_false(is_there("kept-r.io"));
	assert_text(DOCKER, "r.io", false);
	assert_text(CONTAINERS, "r.io/a", true);
	assert_erased("r.io", 0);
}

static void test_the_hub(void **state)
{
	(void)state;
	write_file(DOCKER, "{}");
	assert_stored("registry-1.docker.io", &login, DOCKER);
	assert_text(DOCKER, "\"https://index.docker.io/v1/\"", true);
	write_file(CONTAINERS,
	    "{\"auths\":{\"https://index.docker.io/v1/\":" ENTRY "}}");
	assert_stored("docker.io", &identity, CONTAINERS);
	assert_text(CONTAINERS, "index.docker.io", false);
	assert_text(CONTAINERS, "\"docker.io\"", true);
	assert_erased("index.docker.io", 2);
}

static void test_a_variable_comes_first(void **state)
{
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p) struct creds *creds = NULL;
	AUTO_FREE char *where = NULL;
	unsigned places = 0;

	(void)state;
	setenv("DOCKER_AUTH_CONFIG", "{\"auths\":{\"r.io\":" ENTRY "}}", 1);
	creds = creds_new_to_store(NULL, &err);
	assert_int_equal(creds_store(creds, "r.io", &login, &where, &err),
	    -EEXIST);
	assert_non_null(strstr(err.msg, "DOCKER_AUTH_CONFIG"));
	assert_false(is_there(DOCKER));
	assert_int_equal(creds_erase(creds, "r.io", note, &places, &err),
	    -EEXIST);
	assert_int_equal(creds_store(creds, "other.io", &login, &where, &err),
	    0);
}

static void test_a_broken_file_stays(void **state)
{
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p) struct creds *creds = NULL;
	AUTO_FREE char *where = NULL;

	(void)state;
	write_file(DOCKER, "{ no JSON");
	creds = creds_new_to_store(NULL, &err);
	assert_int_equal(creds_store(creds, "r.io", &login, &where, &err),
	    -EINVAL);
	assert_non_null(strstr(err.msg, DOCKER));
	assert_text(DOCKER, "{ no JSON", true);
}

static void test_an_authfile(void **state)
{
	AUTO_FREE char *path = path_of("new/auth.json");
	struct err err = ERR_INIT;
	CLEANUP(creds_free_p) struct creds *creds = NULL;
	CLEANUP(credential_release) struct credential found = {0};
	AUTO_FREE char *where = NULL;

	(void)state;
	write_file(DOCKER, "{\"auths\":{\"r.io\":" ENTRY "}}");
	assert_null(creds_new(path, &err));
	creds = creds_new_to_store(path, &err);
	assert_int_equal(creds_store(creds, "r.io", &login, &where, &err), 0);
	assert_string_equal(where, path);
	assert_int_equal(creds_lookup(creds, "r.io", NULL, &found, &err), 1);
	assert_string_equal(found.password, "1");
	assert_text(DOCKER, "dTow", true);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_a_user_of_nothing),
	    TEST(test_a_user_of_podman),
	    TEST(test_a_user_of_both),
	    TEST(test_a_link_stays_one),
	    TEST(test_helpers),
	    TEST(test_erase),
	    TEST(test_the_hub),
	    TEST(test_a_variable_comes_first),
	    TEST(test_a_broken_file_stays),
	    TEST(test_an_authfile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
