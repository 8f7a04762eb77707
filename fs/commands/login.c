/* SPDX-License-Identifier: Apache-2.0 */
/* registryfs login HOST. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/strf.h"
#include "creds/creds.h"
#include "creds/secret.h"
#include "http/http.h"
#include "prompt.h"
#include "registry/registry.h"
#include "words.h"

DEFINE_CLEANUP(struct http *, http_free);

enum {
	CONNECT_TIMEOUT = 10, /* seconds */
	STALL_TIMEOUT = 30,   /* likewise */
	ATTEMPTS = 2,
	RETRY_AFTER_MAX = 10, /* seconds that somebody waits at a prompt */
	CONNECTIONS = 2,
	PASSWORD_MAX = 64 << 10, /* those of cloud registries are long */
};

static int open_registry(const struct command_words *words, struct creds *creds,
    struct http **http, struct registry **registry, struct err *err)
{
	const struct http_options options = {
	    .user_agent = "registryfs/" REGISTRYFS_VERSION,
	    .connect_timeout = CONNECT_TIMEOUT,
	    .stall_timeout = STALL_TIMEOUT,
	    .min_rate = 1,
	    .attempts = ATTEMPTS,
	    .max_wait = RETRY_AFTER_MAX,
	    .host_connections = CONNECTIONS,
	};
	const struct registry_options where = {.address = words->operand,
	    .insecure = words->insecure};

	*http = http_new(&options, err);
	if (!*http)
		return -err->code;
	return registry_open(*http, creds, &where, registry, err);
}

/* The user who is logged in now, a new string; "" if nobody is. */
static char *current_user(struct creds *creds, const char *host)
{
	CLEANUP(credential_release) struct credential now = {0};
	int r = creds_lookup(creds, host, NULL, &now, ERR_IGNORE);

	return strdup(r == 1 && now.username ? now.username : "");
}

static int ask_user(struct creds *creds, const char *host, char **out,
    struct err *err)
{
	AUTO_FREE char *current = current_user(creds, host);
	AUTO_FREE char *question = NULL;
	int r;

	if (!current)
		return err_nomem(err);
	question = *current ? strf("User at %s (%s): ", host, current)
			    : strf("User at %s: ", host);
	if (!question)
		return err_nomem(err);
	r = prompt_ask(question, false, out, err);
	if (r == 0 && !**out) {
		free(*out);
		*out = steal(&current);
	}
	return r;
}

/* Scripts write it with a line's end, or without. */
static int read_password(char **out, struct err *err)
{
	AUTO_SECRET_BUF struct buf text = BUF_INIT(PASSWORD_MAX);
	char chunk[512];
	size_t len;
	ssize_t n;
	int r = buf_reserve(&text, PASSWORD_MAX, err);

	while (r == 0 && (n = read(STDIN_FILENO, chunk, sizeof(chunk))) > 0)
		r = buf_add(&text, chunk, (size_t)n, err);
	explicit_bzero(chunk, sizeof(chunk));
	if (r < 0)
		return err_wrap(err, "the password on standard input");
	len = strcspn(buf_str(&text), "\r\n");
	*out = strndup(buf_str(&text), len);
	return *out ? 0 : err_nomem(err);
}

static int ask_password(const char *user, char **out, struct err *err)
{
	AUTO_FREE char *question = strf("Password of %s: ", user);

	return question ? prompt_ask(question, true, out, err) : err_nomem(err);
}

static int get_credential(const struct command_words *words,
    struct creds *creds, const char *host, struct credential *out,
    struct err *err)
{
	int r;

	if (words->username)
		out->username = strdup(words->username);
	if (words->username && !out->username)
		return err_nomem(err);
	r = out->username ? 0 : ask_user(creds, host, &out->username, err);
	if (r == 0 && !*out->username)
		return err_set(err, EINVAL, "no user was named");
	if (r == 0)
		r = words->password_stdin
			? read_password(&out->password, err)
			: ask_password(out->username, &out->password, err);
	if (r == -ENOTTY)
		return err_wrap(err, "use --username and --password-stdin");
	if (r == 0 && !*out->password)
		return err_set(err, EINVAL, "the password is empty");
	return r;
}

static int store(struct creds *creds, struct registry *registry,
    struct credential *credential, struct err *err)
{
	const char *host = registry_host(registry);
	AUTO_FREE char *where = NULL;
	char *identity = NULL;
	int asked = registry_try_login(registry, credential, &identity, err);
	int r;

	if (asked < 0)
		return asked;
	credential->identity_token = identity;
	r = creds_store(creds, host, credential, &where, err);
	if (r < 0)
		return err_wrap(err, "the login is not stored");
	printf("%s%s is logged in to %s (kept in %s)\n",
	    asked ? "" : "The registry asks for no credentials. ",
	    credential->username, host, where);
	return 0;
}

int login_run(const struct command_words *words, struct err *err)
{
	CLEANUP(creds_free_p) struct creds *creds = NULL;
	CLEANUP(http_free_p) struct http *http = NULL;
	CLEANUP(registry_close_p) struct registry *registry = NULL;
	CLEANUP(credential_release) struct credential credential = {0};
	int r;

	if (words->password_stdin && !words->username)
		return err_set(err, EINVAL,
		    "--password-stdin needs --username");
	creds = creds_new_to_store(words->authfile, err);
	if (!creds)
		return -err->code;
	/* First, so that nobody types a password for a wrong address. */
	r = open_registry(words, creds, &http, &registry, err);
	if (r == 0)
		r = get_credential(words, creds, registry_host(registry),
		    &credential, err);
	return r < 0 ? r : store(creds, registry, &credential, err);
}
