/* SPDX-License-Identifier: Apache-2.0 */
/* Redirects: how far, and who may see the credentials. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "http_fixture.h"

/* The registry, and beside it the storage that it sends clients to. */
struct sites {
	struct fixture *registry;
	struct server *storage;
};

static bool answer_storage(struct peer *peer, const char *head, void *arg)
{
	char value[64];

	(void)arg;
	if (head_field(head, "Authorization", value, sizeof(value)))
		return peer_reply(peer, 400, "", "knows the secret");
	if (!head_field(head, "Range", value, sizeof(value)))
		return peer_reply(peer, 400, "", "no range");
	return peer_reply(peer, 206, "", "from storage");
}

static bool redirect(struct peer *peer, int status, const char *to)
{
	char fields[1024];

	snprintf(fields, sizeof(fields), "Location: %s\r\n", to);
	return peer_reply(peer, status, fields, "go there");
}

static bool answer(struct peer *peer, const char *head, void *arg)
{
	struct fixture *f = arg;
	char value[64];

	if (!head_field(head, "Authorization", value, sizeof(value)))
		return peer_reply(peer, 401, "", "who are you");
	if (head_is_for(head, "/own"))
		return redirect(peer, 302, "/target");
	if (head_is_for(head, "/relative"))
		return redirect(peer, 307, "target?x=1");
	if (head_is_for(head, "/target"))
		return peer_reply(peer, 200, "", "here");
	if (head_is_for(head, "/storage"))
		return redirect(peer, 307, f->seen);
	if (head_is_for(head, "/loop"))
		return redirect(peer, 301, "/loop");
	if (head_is_for(head, "/nowhere"))
		return peer_reply(peer, 302, "", "lost");
	if (head_is_for(head, "/ftp"))
		return redirect(peer, 302, "ftp://127.0.0.1/");
	return peer_reply(peer, 404, "", "");
}

static const char *const headers[] = {"Authorization: Bearer secret",
    "Range: bytes=0-", NULL};

static int open_path(struct fixture *f, const char *method, const char *path,
    unsigned redirects, struct http_response **out, struct err *err)
{
	struct http_request request = {.method = method,
	    .headers = headers,
	    .url = server_url(f->server, path),
	    .max_redirects = redirects};

	*out = NULL;
	return http_open(f->http, &request, out, err);
}

static void expect(struct fixture *f, const char *path, int status,
    const char *body)
{
	struct http_response *r;
	struct err err = ERR_INIT;

	if (open_path(f, "GET", path, 3, &r, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(http_status(r), status);
	assert_body(r, body);
	http_close(r);
}

static void test_same_origin(void **state)
{
	struct sites *sites = *state;
	struct fixture *f = sites->registry;
	struct http_response *r;
	struct err err = ERR_INIT;

	expect(f, "/own", 200, "here");
	assert_int_equal(open_path(f, "GET", "/relative", 1, &r, &err), 0);
	assert_string_equal(http_url(r), server_url(f->server, "/target?x=1"));
	http_close(r);
	assert_int_equal(http_count(f->http).requests, 4);
	assert_int_equal(server_requests(f->server), 4);
}

/* Another port is another origin: all but the credentials goes along. */
static void test_other_origin(void **state)
{
	struct sites *sites = *state;

	expect(sites->registry, "/storage", 206, "from storage");
	assert_int_equal(server_requests(sites->storage), 1);
}

static void test_not_followed(void **state)
{
	struct sites *sites = *state;
	struct fixture *f = sites->registry;
	struct http_response *r;
	struct err err = ERR_INIT;

	assert_int_equal(open_path(f, "GET", "/own", 0, &r, &err), 0);
	assert_int_equal(http_status(r), 302);
	assert_string_equal(http_header(r, "Location"), "/target");
	http_close(r);
	assert_int_equal(open_path(f, "DELETE", "/own", 3, &r, &err), 0);
	assert_int_equal(http_status(r), 302);
	http_close(r);
	expect(f, "/nowhere", 302, "lost");
	assert_int_equal(server_requests(f->server), 3);
}

static void test_refused(void **state)
{
	struct sites *sites = *state;
	struct fixture *f = sites->registry;
	struct http_response *r;
	struct err err = ERR_INIT;

	assert_int_equal(open_path(f, "GET", "/loop", 3, &r, &err), -ELOOP);
	assert_int_equal(server_requests(f->server), 4);
	assert_int_equal(open_path(f, "GET", "/ftp", 3, &r, &err), -EINVAL);
	assert_null(r);
}

static int setup(void **state)
{
	struct sites *sites = calloc(1, sizeof(*sites));
	void *registry;

	if (fixture_new(&registry, answer, &fixture_options) < 0)
		return -1;
	sites->registry = registry;
	sites->storage = server_start(answer_storage, sites);
	snprintf(sites->registry->seen, sizeof(sites->registry->seen), "%s",
	    server_url(sites->storage, "/blob?signature=secret"));
	*state = sites;
	return 0;
}

static int teardown(void **state)
{
	struct sites *sites = *state;
	void *registry = sites->registry;

	fixture_free(&registry);
	server_stop(sites->storage);
	free(sites);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_same_origin),
	    TEST(test_other_origin),
	    TEST(test_not_followed),
	    TEST(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
