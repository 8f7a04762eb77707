/* SPDX-License-Identifier: Apache-2.0 */
/* What refers to a manifest, as a registry lists it. */
#include <errno.h>

#include "registry_fixture.h"

#define SUBJECT \
	"sha256:" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ENTRY(type) \
	"{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"" SUBJECT \
	"\",\"size\":1,\"artifactType\":\"" type "\"}"
#define INDEX(entries) \
	"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX \
	"\",\"manifests\":[" entries "]}"
#define TYPE "Content-Type: " MEDIA_OCI_INDEX "\r\n"

static bool answer(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	EXPECT(peer, head_has(head, "Accept", MEDIA_OCI_INDEX));
	EXPECT(peer, head_asks(head, "/referrers/" SUBJECT));
	if (head_asks(head, "/v2/app/") && head_asks(head, "?page=2 "))
		return peer_reply(peer, 200,
		    "Content-Type: " MEDIA_OCI_INDEX ";charset=utf-8\r\n",
		    INDEX(ENTRY("c/d")));
	if (head_asks(head, "/v2/app/"))
		return peer_reply(peer, 200,
		    TYPE "Link: </v2/app/referrers/" SUBJECT
			 "?page=2>; rel=\"next\"\r\n",
		    INDEX(ENTRY("a/1") "," ENTRY("a/2")));
	if (head_asks(head, "/v2/none/"))
		return peer_reply(peer, 200, TYPE, INDEX());
	if (head_asks(head, "/v2/unknown/"))
		return peer_reply(peer, 404, "",
		    "{\"errors\":[{\"code\":\"NAME_UNKNOWN\","
		    "\"message\":\"no such repository\"}]}");
	if (head_asks(head, "/v2/denied/"))
		return peer_reply(peer, 403, "", "");
	if (head_asks(head, "/v2/broken/"))
		return peer_reply(peer, 200, TYPE, "{\"manifests\":");
	if (head_asks(head, "/v2/empty/"))
		return peer_reply(peer, 200, TYPE, "{}");
	if (head_asks(head, "/v2/silent/"))
		return peer_reply(peer, 200, "", "");
	if (head_asks(head, "/v2/absent400/"))
		return peer_reply(peer, 400, "", "");
	if (head_asks(head, "/v2/absent405/"))
		return peer_reply(peer, 405, "", "");
	if (head_asks(head, "/v2/absent406/"))
		return peer_reply(peer, 406, "", "");
	if (head_asks(head, "/v2/login/"))
		return peer_reply(peer, 200, "Content-Type: text/html\r\n",
		    "<html>sign in</html>");
	if (head_asks(head, "/v2/untyped/"))
		return peer_reply(peer, 200, "", INDEX());
	return peer_reply(peer, 404, "", "404 page not found\n");
}

/* Each artifact type with a '|' behind it. */
static int join(void *arg, const struct descriptor *referrer, struct err *err)
{
	return buf_addf(arg, err, "%s|", referrer->artifact_type);
}

static void list(void **state)
{
	static const struct {
		const char *repository;
		int code;
		const char *types;
	} cases[] = {
	    {"app", 0, "a/1|a/2|c/d|"},
	    {"none", 0, ""},
	    {"absent404", EOPNOTSUPP, ""},
	    {"absent400", EOPNOTSUPP, ""},
	    {"absent405", EOPNOTSUPP, ""},
	    {"absent406", EOPNOTSUPP, ""},
	    {"login", EOPNOTSUPP, ""},
	    {"untyped", 0, ""},
	    {"unknown", ENOENT, ""},
	    {"denied", EACCES, ""},
	    {"broken", EIO, ""},
	    {"empty", EIO, ""},
	    {"silent", EIO, ""},
	};
	struct digest subject;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(digest_parse(&subject, SUBJECT, &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO_BUF struct buf types = BUF_INIT(1000);
		struct err failure = ERR_INIT;
		struct fixture f;
		int r;

		registry_fixture_open(&f, answer, NULL, NULL);
		r = registry_referrers(f.registry, cases[i].repository,
		    &subject, join, &types, &failure);
		registry_fixture_close(&f);
		assert_int_equal(r, -cases[i].code);
		assert_string_equal(buf_str(&types), cases[i].types);
		if (r < 0)
			assert_says(failure.msg, cases[i].repository);
	}
}

/* A list that breaks off in the middle is none of a registry without lists. */
static bool breaks_off(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	if (head_asks(head, "?page=2 "))
		return peer_reply(peer, 404, "", "");
	return peer_reply(peer, 200, TYPE "Link: <?page=2>; rel=\"next\"\r\n",
	    INDEX(ENTRY("a/1")));
}

static void a_page_is_missing(void **state)
{
	AUTO_BUF struct buf types = BUF_INIT(1000);
	struct digest subject;
	struct fixture f;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(digest_parse(&subject, SUBJECT, &err), 0);
	registry_fixture_open(&f, breaks_off, NULL, NULL);
	assert_int_equal(registry_referrers(f.registry, "app", &subject, join,
			     &types, &err),
	    -EIO);
	registry_fixture_close(&f);
}

/* A list, and after that what arg says. */
static bool goes_away(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	if (head_asks(head, "/v2/app/"))
		return peer_reply(peer, 200, TYPE, INDEX());
	if (head_asks(head, "/v2/gateway/"))
		return peer_reply(peer, 404, "", "404 page not found\n");
	if (head_asks(head, "/v2/login/"))
		return peer_reply(peer, 200, "Content-Type: text/html\r\n",
		    "<html>sign in</html>");
	return peer_reply(peer, 404, "",
	    "{\"errors\":[{\"code\":\"NOT_FOUND\"}]}");
}

static void who_has_listed_goes_on_to(void **state)
{
	static const struct {
		const char *repository;
		int result;
	} cases[] = {
	    {"login", -EOPNOTSUPP},
	    {"gateway", -EOPNOTSUPP},
	    {"app", 0},
	    {"login", -EIO},
	    {"gateway", -EIO},
	    /* The registry's own word on one of several repositories. */
	    {"other", -EOPNOTSUPP},
	};
	struct digest subject;
	struct fixture f;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(digest_parse(&subject, SUBJECT, &err), 0);
	registry_fixture_open(&f, goes_away, NULL, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO_BUF struct buf types = BUF_INIT(1000);

		assert_int_equal(registry_referrers(f.registry,
				     cases[i].repository, &subject, join,
				     &types, &err),
		    cases[i].result);
	}
	registry_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(list),
	    cmocka_unit_test(a_page_is_missing),
	    cmocka_unit_test(who_has_listed_goes_on_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
