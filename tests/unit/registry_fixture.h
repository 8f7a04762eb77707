/* SPDX-License-Identifier: Apache-2.0 */
/* A registry that is open, and whose server follows a test's script. */
#ifndef TESTS_UNIT_REGISTRY_FIXTURE_H
#define TESTS_UNIT_REGISTRY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "registry/registry.h"
#include "server.h"

/* An entry of an auth file: alice with the password secret. */
#define ALICE "{\"auth\":\"YWxpY2U6c2VjcmV0\"}"
#define ALICE_BASIC "Basic YWxpY2U6c2VjcmV0"

struct fixture {
	struct server *server;
	struct http *http;
	struct creds *creds;
	struct registry *registry;
	char authfile[64];
};

static inline void fixture_write_auth(struct fixture *f, const char *entry)
{
	int fd;

	snprintf(f->authfile, sizeof(f->authfile), "%s",
	    "/tmp/test-registry-XXXXXX");
	fd = mkstemp(f->authfile);
	assert_true(fd >= 0);
	if (entry)
		dprintf(fd, "{\"auths\":{\"%s\":%s}}",
		    server_url(f->server, "") + strlen("http://"), entry);
	close(fd);
}

/* What registry_open() returns; entry: of the auth file, NULL for none. */
static inline int fixture_try_open(struct fixture *f, server_answer *answer,
    void *arg, const char *entry, struct err *err)
{
	static const struct http_options options = {.user_agent = "test",
	    .connect_timeout = 10,
	    .stall_timeout = 20,
	    .min_rate = 1024,
	    .attempts = 3,
	    .max_wait = 5,
	    .host_connections = 8};
	struct registry_options where = {0};

	*f = (struct fixture){.server = server_start(answer, arg)};
	fixture_write_auth(f, entry);
	f->http = http_new(&options, err);
	assert_non_null(f->http);
	f->creds = creds_new(f->authfile, err);
	assert_non_null(f->creds);
	where.address = server_url(f->server, "");
	return registry_open(f->http, f->creds, &where, &f->registry, err);
}

static inline void registry_fixture_open(struct fixture *f,
    server_answer *answer, void *arg, const char *entry)
{
	struct err err = ERR_INIT;
	int r = fixture_try_open(f, answer, arg, entry, &err);

	if (r < 0)
		print_error("%s\n", err.msg);
	assert_int_equal(r, 0);
}

static inline void registry_fixture_close(struct fixture *f)
{
	registry_close(f->registry);
	creds_free(f->creds);
	http_free(f->http);
	server_stop(f->server);
	unlink(f->authfile);
}

/* For scripts: a request that is not as expected is refused with the reason.
 * (cmocka's own assertions are for the test's thread.) */
#define EXPECT(peer, condition) \
	do { \
		if (!(condition)) \
			return peer_reply(peer, 400, "", \
			    "not so: " #condition); \
	} while (0)

/* "GET", "PUT", … */
static inline bool head_method_is(const char *head, const char *method)
{
	size_t len = strlen(method);

	return strncmp(head, method, len) == 0 && head[len] == ' ';
}

/* Whether a field has this value. */
static inline bool head_has(const char *head, const char *name,
    const char *value)
{
	char text[4096];

	return head_field(head, name, text, sizeof(text)) &&
	       strcmp(text, value) == 0;
}

static inline bool head_has_field(const char *head, const char *name)
{
	char text[4096];

	return head_field(head, name, text, sizeof(text));
}

/* Whether the request line has this in it. */
static inline bool head_asks(const char *head, const char *part)
{
	const char *end = strstr(head, "\r\n");
	const char *found = strstr(head, part);

	return found && found < end;
}

/* That a message has the words; shows it if not. */
static inline void assert_says(const char *message, const char *words)
{
	bool says = strstr(message, words) != NULL;

	if (!says)
		print_error("%s: not in: %s\n", words, message);
	assert_true(says);
}

#endif
