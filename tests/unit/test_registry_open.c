/* SPDX-License-Identifier: Apache-2.0 */
/* What is a registry, and what only answers. */
#include <errno.h>
#include <time.h>

#include "registry_fixture.h"

struct reply {
	int status;
	const char *fields, *body;
};

static bool answer(struct peer *peer, const char *head, void *arg)
{
	const struct reply *reply = arg;

	EXPECT(peer, head_method_is(head, "GET") && head_is_for(head, "/v2/"));
	EXPECT(peer, !head_has_field(head, "Authorization"));
	return peer_reply(peer, reply->status, reply->fields, reply->body);
}

#define HTML "Content-Type: text/html; charset=utf-8\r\n"
#define VERSION "Docker-Distribution-Api-Version: registry/2.0\r\n"

static void registries(void **state)
{
	static struct reply replies[] = {
	    {200, "Content-Type: application/json\r\n", "{}"},
	    {200, "", ""},
	    {200, HTML VERSION, "true"},
	    {401, "WWW-Authenticate: Basic realm=\"x\"\r\n", ""},
	    {401, HTML "WWW-Authenticate: Bearer realm=\"/t\"\r\n", "<html>"},
	    {401, VERSION, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		struct fixture f;

		registry_fixture_open(&f, answer, &replies[i], ALICE);
		assert_int_equal(server_requests(f.server), 1);
		registry_fixture_close(&f);
	}
}

static void others(void **state)
{
	static const struct {
		struct reply reply;
		int code;
		const char *says;
	} cases[] = {
	    {{404, HTML, "<html>"}, EPROTONOSUPPORT, "404 text/html"},
	    {{404, "", "404 page not found"}, EPROTONOSUPPORT, "404"},
	    {{200, HTML, "<html>Welcome"}, EPROTONOSUPPORT, "200 text/html"},
	    {{401, HTML, "<html>"}, EPROTONOSUPPORT, "401"},
	    {{400, "", "Client sent an HTTP request to an HTTPS server."},
		EPROTONOSUPPORT, "400"},
	    {{302, "Location: ftp://x/\r\n", ""}, EINVAL, ""},
	    {{403, "", "{\"message\":\"not from here\"}"}, EACCES,
		"not from here"},
	    {{503, "", ""}, EIO, "503"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct reply reply = cases[i].reply;
		struct err err = ERR_INIT;
		struct fixture f;

		assert_int_equal(fixture_try_open(&f, answer, &reply, NULL,
				     &err),
		    -cases[i].code);
		assert_null(f.registry);
		assert_non_null(strstr(err.msg, cases[i].says));
		registry_fixture_close(&f);
	}
}

static void nobody_there(void **state)
{
	struct reply reply = {200, "", ""};
	struct registry *registry = NULL;
	struct err err = ERR_INIT;
	struct fixture f;
	char address[64];

	(void)state;
	registry_fixture_open(&f, answer, &reply, NULL);
	snprintf(address, sizeof(address), "%s",
	    server_url(f.server, "") + strlen("http://"));
	server_stop(f.server);
	/* In both ways that a loopback address is tried. */
	assert_int_equal(registry_open(f.http, f.creds,
			     &(struct registry_options){.address = address},
			     &registry, &err),
	    -ECONNREFUSED);
	assert_null(registry);
	assert_non_null(strstr(err.msg, address));
	f.server = server_start(answer, &reply);
	registry_fixture_close(&f);
}

static void bad_address(void **state)
{
	struct reply reply = {200, "", ""};
	struct registry *registry = NULL;
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer, &reply, NULL);
	assert_int_equal(registry_open(f.http, f.creds,
			     &(struct registry_options){.address = "r.io/team"},
			     &registry, &err),
	    -EINVAL);
	registry_fixture_close(&f);
}

/* What takes a TLS hello for the begin of something, and waits for the rest. */
struct silence {
	struct reply plain;
	bool all; /* silent to plain HTTP, too */
};

static bool be_silent(struct peer *peer, const char *head, void *arg)
{
	const struct silence *silence = arg;

	if (*head && !silence->all)
		return answer(peer, head, arg);
	peer_wait_gone(peer);
	return false;
}

/* Opens it by its address alone, with a timeout of two seconds; how long that
 * took. */
static double open_silent(struct silence *silence, const char *scheme, int code,
    struct err *err)
{
	static const struct http_options options = {.user_agent = "test",
	    .connect_timeout = 2,
	    .stall_timeout = 2,
	    .min_rate = 1024,
	    .attempts = 3,
	    .max_wait = 5,
	    .host_connections = 8};
	struct timespec start, end;
	struct registry *registry = NULL;
	struct fixture f;
	char address[64];

	registry_fixture_open(&f, answer, &(struct reply){200, "", ""}, NULL);
	registry_close(steal(&f.registry));
	server_stop(f.server);
	http_free(f.http);
	f.http = http_new(&options, err);
	f.server = server_start(be_silent, silence);
	snprintf(address, sizeof(address), "%s%s", scheme,
	    server_url(f.server, "") + strlen("http://"));
	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(registry_open(f.http, f.creds,
			     &(struct registry_options){.address = address},
			     &registry, err),
	    -code);
	clock_gettime(CLOCK_MONOTONIC, &end);
	registry_close(registry);
	registry_fixture_close(&f);
	return (double)(end.tv_sec - start.tv_sec) +
	       (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

static void tls_hello_unanswered(void **state)
{
	struct silence silence = {{200, "", ""}, false};
	struct err err = ERR_INIT;

	(void)state;
	assert_true(open_silent(&silence, "", 0, &err) < 1.5);
}

/* Both at once: it takes no longer than one of them. */
static void all_unanswered(void **state)
{
	struct silence silence = {{200, "", ""}, true};
	struct err err = ERR_INIT;
	double took = open_silent(&silence, "", ETIMEDOUT, &err);

	(void)state;
	assert_true(took > 1.9 && took < 3.5);
	assert_says(err.msg, "http://127.0.0.1");
	assert_says(err.msg, "https://127.0.0.1");
}

static void https_is_wanted(void **state)
{
	struct silence silence = {{200, "", ""}, false};
	struct err err = ERR_INIT;

	(void)state;
	open_silent(&silence, "https://", ETIMEDOUT, &err);
	assert_says(err.msg, "(without it the address is http://127.0.0.1");
}

static bool answer_later(struct peer *peer, const char *head, void *arg)
{
	(void)head;
	(void)arg;
	return peer_reply(peer, peer_number(peer) > 1 ? 200 : 503, "", "");
}

/* A registry that starts, behind its proxy. */
static void busy_once(void **state)
{
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, answer_later, NULL, NULL);
	assert_int_equal(server_requests(f.server), 2);
	registry_fixture_close(&f);
}

static bool answer_below(struct peer *peer, const char *head, void *arg)
{
	static const char manifest[] =
	    "{\"schemaVersion\":2,\"mediaType\":"
	    "\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}";

	(void)arg;
	if (head_is_for(head, "/some/api/v2/"))
		return peer_reply(peer, 200, "", "");
	EXPECT(peer, head_is_for(head, "/some/api/v2/app/manifests/1.0"));
	return peer_reply(peer, 200,
	    "Content-Type: application/vnd.oci.image.index.v1+json\r\n",
	    manifest);
}

/* An API that is not at the top of its server. */
static void below_a_path(void **state)
{
	struct source_manifest manifest = {.body = BUF_INIT(1 << 16)};
	struct registry_options where = {.path = "/some/api"};
	struct registry *registry = NULL;
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	assert_int_equal(fixture_try_open(&f, answer_below, NULL, NULL, &err),
	    -EPROTONOSUPPORT);
	where.address = server_url(f.server, "");
	assert_int_equal(registry_open(f.http, f.creds, &where, &registry,
			     &err),
	    0);
	assert_int_equal(registry_manifest_get(registry, "app", "1.0",
			     &manifest, &err),
	    0);
	buf_release(&manifest.body);
	registry_close(registry);
	registry_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(registries),
	    cmocka_unit_test(others),
	    cmocka_unit_test(nobody_there),
	    cmocka_unit_test(bad_address),
	    cmocka_unit_test(tls_hello_unanswered),
	    cmocka_unit_test(all_unanswered),
	    cmocka_unit_test(https_is_wanted),
	    cmocka_unit_test(busy_once),
	    cmocka_unit_test(below_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
