/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of repositories and tags. */
#include <errno.h>
#include <stdatomic.h>

#include "registry_fixture.h"

#define BASIC "WWW-Authenticate: Basic realm=\"x\"\r\n"

/* Each name with a '|' behind it. */
static int join(void *arg, const char *name, struct err *err)
{
	return buf_addf(arg, err, "%s|", name);
}

static void assert_catalog(server_answer *answer, const char *want)
{
	AUTO_BUF struct buf names = BUF_INIT(10000);
	struct err err = ERR_INIT;
	struct fixture f;
	int r;

	registry_fixture_open(&f, answer, NULL, NULL);
	r = registry_catalog(f.registry, join, &names, &err);
	registry_fixture_close(&f);
	assert_string_equal(err.msg, "");
	assert_int_equal(r, 0);
	assert_string_equal(buf_str(&names), want);
}

static void assert_catalog_fails(server_answer *answer, const char *entry,
    int code, const char *says)
{
	AUTO_BUF struct buf names = BUF_INIT(10000);
	struct err err = ERR_INIT;
	struct fixture f;
	int r;

	registry_fixture_open(&f, answer, NULL, entry);
	r = registry_catalog(f.registry, join, &names, &err);
	registry_fixture_close(&f);
	assert_int_equal(r, -code);
	assert_int_equal(err.code, code);
	if (!strstr(err.msg, says))
		print_error("%s\n", err.msg);
	assert_non_null(strstr(err.msg, says));
}

static bool three_pages(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	if (head_asks(head, "/v2/_catalog?n=1000 "))
		return peer_reply(peer, 200,
		    "Link: </v2/_catalog?last=b&n=1000>; rel=\"next\"\r\n",
		    "{\"repositories\":[\"a\",\"b\"]}");
	/* A proxy in front that did not tell its name: only the path counts.
	 * And a page may be empty. */
	if (head_asks(head, "/v2/_catalog?last=b&n=1000 "))
		return peer_reply(peer, 200,
		    "Link: <https://inside.invalid/v2/_catalog?last=c>;"
		    " rel=\"next\"\r\n",
		    "{\"repositories\":[]}");
	EXPECT(peer, head_asks(head, "/v2/_catalog?last=c "));
	return peer_reply(peer, 200, "", "{\"repositories\":[\"c/d\"]}");
}

static void pages(void **state)
{
	(void)state;
	assert_catalog(three_pages, "a|b|c/d|");
}

/* As the registry of Cloudflare's workers answers: each page names a next one,
 * also the empty one after the last, whose next one begins after no name. */
static bool always_a_next_page(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	if (head_asks(head, "last=a/b/manifests/sha256:00 "))
		return peer_reply(peer, 200,
		    "Link: http://127.0.0.1/v2/_catalog?n=1000&last=;"
		    " rel=next\r\n",
		    "{\"repositories\":[]}");
	return peer_reply(peer, 200,
	    "Link: http://127.0.0.1/v2/_catalog?n=1000"
	    "&last=a/b/manifests/sha256:00; rel=next\r\n",
	    "{\"repositories\":[\"a\",\"a/b\"]}");
}

static bool nothing_and_a_next_page(struct peer *peer, const char *head,
    void *arg)
{
	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	return peer_reply(peer, 200,
	    "Link: http://127.0.0.1/v2/_catalog?n=1000&last=; rel=next\r\n",
	    "{\"repositories\":[]}");
}

static void an_empty_page_before_the_begin_is_the_end(void **state)
{
	(void)state;
	assert_catalog(always_a_next_page, "a|a/b|");
	assert_catalog(nothing_and_a_next_page, "");
}

/* Page 1 leads to 2, 2 to 3, 3 to 4 and 4 back to 2. */
static bool circle(struct peer *peer, const char *head, void *arg)
{
	char link[100];
	unsigned page = 1;

	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	sscanf(head, "GET /v2/_catalog?page=%u", &page);
	snprintf(link, sizeof(link),
	    "Link: </v2/_catalog?page=%u>; rel=\"next\"\r\n",
	    page == 4 ? 2 : page + 1);
	return peer_reply(peer, 200, link, "{\"repositories\":[]}");
}

static void circles_end(void **state)
{
	(void)state;
	assert_catalog_fails(circle, NULL, EIO, "pagination loops");
}

/* Each page names another one, as the pages of a number have it. */
static bool endless(struct peer *peer, unsigned page, const char *names)
{
	char link[100], body[200];

	snprintf(link, sizeof(link),
	    "Link: </v2/_catalog?page=%u>; rel=\"next\"\r\n", page + 1);
	snprintf(body, sizeof(body), "{\"repositories\":[%s]}", names);
	return peer_reply(peer, 200, link, body);
}

static bool repeats(struct peer *peer, const char *head, void *arg)
{
	unsigned page = 1;

	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	sscanf(head, "GET /v2/_catalog?page=%u", &page);
	return endless(peer, page, page % 2 ? "\"a\",\"b\"" : "\"c\"");
}

static bool brings_nothing(struct peer *peer, const char *head, void *arg)
{
	unsigned page = 1;

	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	sscanf(head, "GET /v2/_catalog?page=%u", &page);
	return endless(peer, page, "");
}

static void endless_lists_end(void **state)
{
	(void)state;
	assert_catalog_fails(repeats, NULL, EIO, "repeats a page");
	assert_catalog_fails(brings_nothing, NULL, EIO,
	    "the registry's pagination does not end: 1001 pages had 0 entries");
}

static bool dirty(struct peer *peer, const char *head, void *arg)
{
	(void)head;
	(void)arg;
	return peer_reply(peer, 200, "",
	    "{\"repositories\":[\"ok\",null,\"Upper\",\"\",\"a//b\",\"../x\","
	    "\"a\\u002fb\",7,\"/a\",\"a\\n\"]}");
}

static void invalid_names_are_left_out(void **state)
{
	(void)state;
	assert_catalog(dirty, "ok|a/b|");
}

static bool no_long_pages(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_asks(head, "?n=1000"))
		return peer_reply(peer, 400, "",
		    "{\"errors\":[{\"code\":\"PAGINATION_NUMBER_INVALID\"}]}");
	return peer_reply(peer, 200, "", "{\"repositories\":[\"a\"]}");
}

static void page_size_is_the_servers(void **state)
{
	(void)state;
	assert_catalog(no_long_pages, "a|");
}

static bool missing(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	return peer_reply(peer, 404, "", "404 page not found\n");
}

static bool denied(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	return peer_reply(peer, 403, "",
	    "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"not you\"}]}");
}

/* Lets alice in, but not to the list. */
static bool admins_only(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_is_for(head, "/v2/") &&
	    head_has(head, "Authorization", ALICE_BASIC))
		return peer_reply(peer, 200, "", "{}");
	return peer_reply(peer, 401, BASIC, "");
}

static bool nobody(struct peer *peer, const char *head, void *arg)
{
	(void)head;
	(void)arg;
	return peer_reply(peer, 401, BASIC, "");
}

static void not_listed(void **state)
{
	(void)state;
	assert_catalog_fails(missing, NULL, EOPNOTSUPP, "404");
	assert_catalog_fails(denied, NULL, EOPNOTSUPP, "not you");
	assert_catalog_fails(admins_only, ALICE, EOPNOTSUPP, "401");
}

static void not_let_in(void **state)
{
	(void)state;
	assert_catalog_fails(nobody, ALICE, EACCES, "refused");
	assert_catalog_fails(nobody, NULL, EACCES, "log in");
}

static bool page_for_browsers(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	return peer_reply(peer, 200, "", "<html></html>");
}

static bool cut_short(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	return peer_reply(peer, 200, "", "{\"repositories\":[\"a\",");
}

static void no_json(void **state)
{
	(void)state;
	assert_catalog_fails(page_for_browsers, NULL, EIO, "not JSON");
	assert_catalog_fails(cut_short, NULL, EIO, "is truncated");
}

static bool tag_lists(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	if (head_asks(head, "/v2/none/tags/list "))
		return peer_reply(peer, 200, "",
		    "{\"name\":\"none\",\"tags\":null}");
	if (head_asks(head, "/v2/dirty/tags/list "))
		return peer_reply(peer, 200, "Content-Type: text/plain\r\n",
		    "{\"child\":[\"x\"],\"manifest\":{\"sha256:0\":{\"tag\":"
		    "[\"y\"]}},\"tags\":[null,\"1.0\",\"sha256:aa\",\"-x\","
		    "\"latest\",\"a b\"]}");
	return peer_reply(peer, 404, "",
	    "{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"no such "
	    "name\"}]}");
}

static int stop(void *arg, const char *name, struct err *err)
{
	unsigned *count = arg;

	(void)name;
	(void)err;
	(*count)++;
	return 42;
}

static void tags(void **state)
{
	AUTO_BUF struct buf names = BUF_INIT(1000);
	struct err err = ERR_INIT;
	struct fixture f;
	unsigned count = 0;

	(void)state;
	registry_fixture_open(&f, tag_lists, NULL, NULL);
	assert_int_equal(registry_tags(f.registry, "none", join, &names, &err),
	    0);
	assert_string_equal(buf_str(&names), "");
	assert_int_equal(registry_tags(f.registry, "dirty", join, &names, &err),
	    0);
	assert_string_equal(buf_str(&names), "1.0|latest|");
	assert_int_equal(registry_tags(f.registry, "dirty", stop, &count, &err),
	    42);
	assert_int_equal(count, 1);
	assert_int_equal(registry_tags(f.registry, "a/b", join, &names, &err),
	    -ENOENT);
	assert_non_null(strstr(err.msg, "a/b: no such name"));
	registry_fixture_close(&f);
}

/* The repository's name says what comes in place of its list. */
static bool no_lists(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	if (head_asks(head, "/v2/empty/"))
		return peer_reply(peer, 200, "", "");
	if (head_asks(head, "/v2/object/"))
		return peer_reply(peer, 200, "", "{}");
	if (head_asks(head, "/v2/login/"))
		return peer_reply(peer, 200, "",
		    "<html><h1>Please log in</h1></html>");
	if (head_asks(head, "/v2/nothing/"))
		return peer_reply(peer, 204, "", "");
	if (head_asks(head, "/v2/gateway/"))
		return peer_reply(peer, 404, "", "404 page not found\n");
	if (head_asks(head, "/v2/page/"))
		return peer_reply(peer, 404, "", "<html>no backend</html>");
	if (head_asks(head, "/v2/half/tags/list?2 "))
		return peer_reply(peer, 404, "",
		    "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}");
	return peer_reply(peer, 200, "Link: <?2>; rel=\"next\"\r\n",
	    "{\"tags\":[\"1.0\"]}");
}

static void what_is_no_list(void **state)
{
	static const struct {
		const char *repository;
		int http;
		const char *says;
	} cases[] = {
	    {"empty", 200, "empty: answered 200 with nothing"},
	    {"object", 200,
		"object: answered 200 with \"{}\": the answer has"
		" no list \"tags\""},
	    {"login", 200,
		"login: answered 200 with a page: \"Please log in\""},
	    {"nothing", 204, "nothing: answered 204 with nothing"},
	    {"gateway", 404, "gateway: 404 page not found (404)"},
	    {"page", 404, "page: answered 404 with a page: \"no backend\""},
	    {"half", 404, "half: status 404 NAME_UNKNOWN"},
	};
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, no_lists, NULL, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO_BUF struct buf names = BUF_INIT(1000);
		struct err err = ERR_INIT;

		assert_int_equal(registry_tags(f.registry, cases[i].repository,
				     join, &names, &err),
		    -EIO);
		assert_int_equal(err.http, cases[i].http);
		assert_says(err.msg, cases[i].says);
	}
	registry_fixture_close(&f);
}

static bool empty_object(struct peer *peer, const char *head, void *arg)
{
	(void)head;
	(void)arg;
	return peer_reply(peer, 200, "", "{}");
}

static void a_catalog_that_is_none(void **state)
{
	(void)state;
	assert_catalog_fails(empty_object, NULL, EIO, "\"repositories\"");
}

/* A server that fails twice before each answer. */
static bool shaky(struct peer *peer, const char *head, void *arg)
{
	atomic_uint *calls = arg;

	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	if (atomic_fetch_add(calls, 1) < 2)
		return peer_reply(peer, 503, "Retry-After: 0\r\n", "");
	return peer_reply(peer, 200, "", "{\"tags\":[\"1.0\"]}");
}

static void failures_pass(void **state)
{
	AUTO_BUF struct buf names = BUF_INIT(1000);
	struct err err = ERR_INIT;
	atomic_uint calls = 0;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, shaky, &calls, NULL);
	assert_int_equal(registry_tags(f.registry, "app", join, &names, &err),
	    0);
	assert_string_equal(buf_str(&names), "1.0|");
	assert_int_equal(calls, 3);
	registry_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pages),
	    cmocka_unit_test(an_empty_page_before_the_begin_is_the_end),
	    cmocka_unit_test(circles_end),
	    cmocka_unit_test(endless_lists_end),
	    cmocka_unit_test(invalid_names_are_left_out),
	    cmocka_unit_test(page_size_is_the_servers),
	    cmocka_unit_test(not_listed),
	    cmocka_unit_test(not_let_in),
	    cmocka_unit_test(no_json),
	    cmocka_unit_test(tags),
	    cmocka_unit_test(what_is_no_list),
	    cmocka_unit_test(a_catalog_that_is_none),
	    cmocka_unit_test(failures_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
