/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_fixture.h"

static void fixture_write_auth(struct fixture *f, const char *entry)
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

int fixture_try_open(struct fixture *f, server_answer *answer, void *arg,
    const char *entry, struct err *err)
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

void registry_fixture_open(struct fixture *f, server_answer *answer, void *arg,
    const char *entry)
{
	struct err err = ERR_INIT;
	int r = fixture_try_open(f, answer, arg, entry, &err);

	if (r < 0)
		print_error("%s\n", err.msg);
	assert_int_equal(r, 0);
}

void registry_fixture_close(struct fixture *f)
{
	registry_close(f->registry);
	creds_free(f->creds);
	http_free(f->http);
	server_stop(f->server);
	unlink(f->authfile);
}

bool head_method_is(const char *head, const char *method)
{
	size_t len = strlen(method);

	return strncmp(head, method, len) == 0 && head[len] == ' ';
}

bool head_has(const char *head, const char *name, const char *value)
{
	char text[4096];

	return head_field(head, name, text, sizeof(text)) &&
	       strcmp(text, value) == 0;
}

bool head_has_field(const char *head, const char *name)
{
	char text[4096];

	return head_field(head, name, text, sizeof(text));
}

bool head_asks(const char *head, const char *part)
{
	const char *end = strstr(head, "\r\n");
	const char *found = strstr(head, part);

	return found && found < end;
}

void assert_says(const char *message, const char *words)
{
	bool says = strstr(message, words) != NULL;

	if (!says)
		print_error("%s: not in: %s\n", words, message);
	assert_true(says);
}
