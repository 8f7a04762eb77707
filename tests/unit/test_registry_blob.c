/* SPDX-License-Identifier: Apache-2.0 */
/* Reading blobs, and asking for them. */
#include <errno.h>
#include <stdatomic.h>

#include "registry_fixture.h"

#define CONTENT "0123456789"
#define BLOB \
	"sha256:" \
	"84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
#define SIXTY_FOUR \
	"0000000000000000000000000000000000000000000000000000000000000000"

/* Some of the content, as the repository's name says. */
static bool answer_part(struct peer *peer, const char *head, unsigned first,
    unsigned last)
{
	char fields[64], body[sizeof(CONTENT)];

	if (head_asks(head, "/v2/wide/"))
		last++;
	snprintf(fields, sizeof(fields), "Content-Range: bytes %u-%u/10\r\n",
	    first, last < 10 ? last : 9);
	if (head_asks(head, "/v2/chatty/"))
		last = 9;
	snprintf(body, sizeof(body), "%.*s", (int)(last - first + 1),
	    &CONTENT[first]);
	return peer_reply(peer, 206, fields, body);
}

/* What says more, or less, of a blob than its length. */
static bool answer_head(struct peer *peer, const char *head)
{
	const char *fields = "Content-Length: 10\r\n";

	if (head_asks(head, "/v2/unknown/"))
		fields = "";
	if (head_asks(head, "/v2/page/"))
		fields = "Content-Type: text/html; charset=utf-8\r\n";
	if (head_asks(head, "/v2/named/"))
		fields = "Docker-Content-Digest: " BLOB "\r\n";
	if (head_asks(head, "/v2/sha512/"))
		fields = "Docker-Content-Digest: sha512:" SIXTY_FOUR SIXTY_FOUR
			 "\r\n";
	if (head_asks(head, "/v2/other/"))
		fields = "Docker-Content-Digest: sha256:" SIXTY_FOUR "\r\n"
			 "Content-Length: 10\r\n";
	return peer_send(peer, "HTTP/1.1 200 OK\r\n") &&
	       peer_send(peer, fields) && peer_send(peer, "\r\n") &&
	       strstr(fields, "Length");
}

/* The repository's name says how it answers. */
static bool answer(struct peer *peer, const char *head, void *arg)
{
	bool range = head_has(head, "Range", "bytes=4-");
	unsigned first, last;
	char part[64];

	(void)arg;
	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "{}");
	if (head_asks(head, "/v2/missing/"))
		return peer_reply(peer, 404, "", "");
	if (head_asks(head, "/v2/broken/"))
		return peer_reply(peer, 400, "", "");
	if (head_method_is(head, "HEAD"))
		return answer_head(peer, head);
	EXPECT(peer, head_has(head, "Accept-Encoding", "identity"));
	if (head_asks(head, "/v2/short/"))
		return peer_send(peer, "HTTP/1.1 200 OK\r\n"
				       "Content-Length: 10\r\n\r\n01234") &&
		       false;
	if (head_asks(head, "/v2/brief/"))
		return peer_reply(peer, 200, "", "012");
	if (!head_asks(head, "/v2/norange/") &&
	    head_field(head, "Range", part, sizeof(part)) &&
	    sscanf(part, "bytes=%u-%u", &first, &last) == 2)
		return answer_part(peer, head, first, last);
	if (head_asks(head, "/v2/norange/") || !range)
		return peer_reply(peer, 200, "", CONTENT);
	if (head_asks(head, "/v2/wrong/"))
		return peer_reply(peer, 206, "Content-Range: bytes 0-9/10\r\n",
		    CONTENT);
	if (head_asks(head, "/v2/mute/"))
		return peer_reply(peer, 206, "", &CONTENT[4]);
	return peer_reply(peer, 206, "Content-Range: bytes 4-9/10\r\n",
	    &CONTENT[4]);
}

static int setup(void **state)
{
	*state = malloc(sizeof(struct fixture));
	registry_fixture_open(*state, answer, NULL, NULL);
	return 0;
}

static int teardown(void **state)
{
	registry_fixture_close(*state);
	free(*state);
	return 0;
}

static struct digest some_digest(void)
{
	struct digest digest;
	struct err err = ERR_INIT;

	digest_of(DIGEST_SHA256, CONTENT, strlen(CONTENT), &digest, &err);
	return digest;
}

/* Reads that part: the text, or the failure of opening. */
static void check_part(struct fixture *f, const char *repository,
    uint64_t offset, uint64_t len, int code, const char *want)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	AUTO_BUF struct buf body = BUF_INIT(100);
	struct digest digest = some_digest();
	struct err err = ERR_INIT;
	int r = registry_blob_open(f->registry, repository, &digest, offset,
	    len, &response, &err);

	assert_int_equal(r, -code);
	if (code) {
		assert_null(response);
		assert_string_not_equal(err.msg, "");
		return;
	}
	assert_int_equal(http_read_all(response, &body, &err), 0);
	assert_string_equal(buf_str(&body), want);
}

static void check(struct fixture *f, const char *repository, uint64_t offset,
    int code, const char *want)
{
	check_part(f, repository, offset, 0, code, want);
}

static void whole(void **state)
{
	check(*state, "app", 0, 0, CONTENT);
	check(*state, "missing", 0, ENOENT, NULL);
	check(*state, "broken", 0, EINVAL, NULL);
}

static void from_an_offset(void **state)
{
	check(*state, "app", 4, 0, "456789");
	check(*state, "norange", 4, 0, "456789");
	check(*state, "wrong", 4, EIO, NULL);
	check(*state, "mute", 4, EIO, NULL);
	check(*state, "brief", 4, EIO, NULL);
}

static void up_to_an_end(void **state)
{
	check_part(*state, "app", 4, 3, 0, "456");
	check_part(*state, "app", 0, 3, 0, "012");
	check_part(*state, "app", 0, 10, 0, CONTENT);
	check_part(*state, "app", 8, 5, 0, "89");
	check_part(*state, "app", 9, 1, 0, "9");
	check_part(*state, "norange", 4, 3, 0, "456");
	check_part(*state, "norange", 0, 3, 0, "012");
	check_part(*state, "norange", 8, 5, 0, "89");
	check_part(*state, "chatty", 4, 3, 0, "456");
	check_part(*state, "wide", 4, 3, EIO, NULL);
}

static void cut_short(void **state)
{
	struct fixture *f = *state;
	CLEANUP(http_close_p) struct http_response *response = NULL;
	AUTO_BUF struct buf body = BUF_INIT(100);
	struct digest digest = some_digest();
	struct err err = ERR_INIT;

	assert_int_equal(registry_blob_open(f->registry, "short", &digest, 0, 0,
			     &response, &err),
	    0);
	assert_int_equal(http_read_all(response, &body, &err), -ECONNRESET);
}

static void head(void **state)
{
	static const struct {
		const char *repository;
		uint64_t size;
		int result;
	} cases[] = {
	    {"app", 10, 1},
	    {"app", UINT64_MAX, 1},
	    {"app", 11, 0},
	    {"unknown", 10, 1},
	    {"named", 10, 1},
	    {"sha512", 10, 1},
	    {"other", 10, 0},
	    {"page", 10, 0},
	    {"page", UINT64_MAX, 0},
	    {"missing", 10, 0},
	    {"broken", 10, -EINVAL},
	};
	struct fixture *f = *state;
	struct digest digest = some_digest();

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(registry_blob_head(f->registry,
				     cases[i].repository, &digest,
				     cases[i].size, &err),
		    cases[i].result);
	}
}

/* The storage behind the registry, which must not see who asks. */
static bool storage(struct peer *peer, const char *head, void *arg)
{
	atomic_uint *credentials = arg;

	if (head_has_field(head, "Authorization"))
		atomic_fetch_add(credentials, 1);
	/* Its urls are signed for a GET. */
	if (head_method_is(head, "HEAD"))
		return peer_reply(peer, 403, "", "");
	if (head_has(head, "Range", "bytes=4-"))
		return peer_reply(peer, 206, "Content-Range: bytes 4-9/*\r\n",
		    &CONTENT[4]);
	return peer_reply(peer, 200, "", CONTENT);
}

static bool redirect(struct peer *peer, const char *head, void *arg)
{
	char fields[256];

	if (!head_has(head, "Authorization", ALICE_BASIC))
		return peer_reply(peer, 401,
		    "WWW-Authenticate: Basic realm=\"x\"\r\n", "");
	snprintf(fields, sizeof(fields), "Location: %s\r\n",
	    server_url(arg, "/signed?x=1"));
	return peer_reply(peer, 307, fields, "");
}

static void redirected(void **state)
{
	atomic_uint credentials = 0;
	struct server *behind = server_start(storage, &credentials);
	struct digest digest = some_digest();
	struct err err = ERR_INIT;
	struct fixture f;

	(void)state;
	registry_fixture_open(&f, redirect, behind, ALICE);
	check(&f, "app", 0, 0, CONTENT);
	check(&f, "app", 4, 0, "456789");
	assert_int_equal(registry_blob_head(f.registry, "app", &digest, 10,
			     &err),
	    1);
	assert_int_equal(server_requests(behind), 3);
	assert_int_equal(credentials, 0);
	registry_fixture_close(&f);
	server_stop(behind);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(whole),
	    TEST(from_an_offset),
	    TEST(up_to_an_end),
	    TEST(cut_short),
	    TEST(head),
	    cmocka_unit_test(redirected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
