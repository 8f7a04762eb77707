/* SPDX-License-Identifier: Apache-2.0 */
/* Auth files: those of tests/cases/auth, good and bad. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "authfile.h"
#include "base/file.h"
#include "base/strf.h"

static int find(const char *file, const char *host, const char *repository,
    struct authfile_answer *out, struct err *err)
{
	AUTO_FREE char *path = strf("%s/auth/%s", getenv("CASES"), file);
	AUTO_BUF struct buf text = BUF_INIT(1 << 16);

	assert_int_equal(file_slurp(path, &text, err), 0);
	return authfile_find(buf_str(&text), text.len, host, repository, out,
	    err);
}

/* What a good file says; NULL is asserted as NULL. */
static const struct {
	const char *file, *host, *repository;
	const char *helper, *username, *password, *identity, *bearer;
} good[] = {
    {"good-docker.json", "localhost:5000", NULL, NULL, "alice", "secret", NULL,
	NULL},
    {"good-docker.json", "localhost:5001", NULL, NULL, NULL, NULL, NULL, NULL},
    {"good-hub.json", "docker.io", "library/debian", NULL, "hubuser", "hubpass",
	NULL, NULL},
    {"good-hub.json", "old.example.com", NULL, NULL, "old", "pass", NULL, NULL},
    {"good-namespaces.json", "reg.example.com", NULL, NULL, "host", "1", NULL,
	NULL},
    {"good-namespaces.json", "reg.example.com", "team", NULL, "team", "2", NULL,
	NULL},
    {"good-namespaces.json", "reg.example.com", "team/app/x", NULL, "app", "3",
	NULL, NULL},
    {"good-namespaces.json", "reg.example.com", "teams", NULL, "host", "1",
	NULL, NULL},
    {"good-namespaces.json", "reg.example.com", "other", NULL, "host", "1",
	NULL, NULL},
    {"good-tokens.json", "identity.example.com", NULL, NULL,
	"00000000-0000-0000-0000-000000000000", "", "refresh-me", NULL},
    {"good-tokens.json", "marked.example.com", NULL, NULL, "<token>", NULL,
	"refresh-too", NULL},
    {"good-tokens.json", "bearer.example.com", NULL, NULL, NULL, NULL, NULL,
	"as-it-is"},
    {"good-tokens.json", "plain.example.com", NULL, NULL, "bob", "pa:ss", NULL,
	NULL},
    {"good-tokens.json", "colons.example.com", NULL, NULL, "user",
	"pass:with:colons", NULL, NULL},
    {"good-tokens.json", "unpadded.example.com", NULL, NULL, "a", "b", NULL,
	NULL},
    {"good-tokens.json", "nul.example.com", NULL, NULL, "nul", "tail", NULL,
	NULL},
    {"good-helpers.json", "stored.example.com", NULL, "store", NULL, NULL, NULL,
	NULL},
    {"good-helpers.json", "both.example.com", NULL, "store", "in", "file", NULL,
	NULL},
    {"good-helpers.json", "special.example.com", NULL, "special", NULL, NULL,
	NULL, NULL},
    {"good-helpers.json", "none.example.com", NULL, NULL, NULL, NULL, NULL,
	NULL},
    {"good-dockercfg.json", "old.example.com", NULL, NULL, "cfg", "dockercfg",
	NULL, NULL},
    {"good-null.json", "localhost:5000", NULL, NULL, NULL, NULL, NULL, NULL},
    {"good-empty.json", "localhost:5000", NULL, NULL, NULL, NULL, NULL, NULL},
};

static void assert_text(const char *text, const char *want)
{
	if (!want) {
		assert_null(text);
		return;
	}
	assert_non_null(text);
	assert_string_equal(text, want);
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct authfile_answer answer;
		struct err err = ERR_INIT;

		assert_int_equal(find(good[i].file, good[i].host,
				     good[i].repository, &answer, &err),
		    0);
		assert_text(answer.helper, good[i].helper);
		assert_text(answer.credential.username, good[i].username);
		assert_text(answer.credential.password, good[i].password);
		assert_text(answer.credential.identity_token, good[i].identity);
		assert_text(answer.credential.registry_token, good[i].bearer);
		assert_int_equal(answer.found,
		    good[i].password || good[i].identity || good[i].bearer);
		authfile_answer_release(&answer);
	}
}

/* Each is refused, with a sentence that has this and not the secret in it. */
static const char *const bad[][2] = {
    {"bad-truncated.json", "line 1"},
    {"bad-array.json", "object"},
    {"bad-auths.json", "\"auths\""},
    {"bad-entry.json", "localhost:5000"},
    {"bad-base64.json", "base64"},
    {"bad-colon.json", "user:password"},
    {"bad-type.json", "\"auth\""},
    {"bad-helpers.json", "credHelpers"},
    {"bad-store.json", "credsStore"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct authfile_answer answer;
		struct err err = ERR_INIT;

		assert_int_equal(find(bad[i][0], "localhost:5000", NULL,
				     &answer, &err),
		    -EINVAL);
		assert_non_null(strstr(err.msg, bad[i][1]));
		assert_null(strstr(err.msg, "YWxp"));
		authfile_answer_release(&answer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
