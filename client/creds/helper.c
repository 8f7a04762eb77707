/* SPDX-License-Identifier: Apache-2.0 */
/* Credential helpers. */
#include "helper.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

#include "base/run.h"
#include "base/strf.h"
#include "creds/secret.h"
#include "key.h"

enum {
	/* A helper may ask a person to unlock a key ring; docker waits too. */
	HELPER_SECONDS = 30,
	/* Tokens of cloud registries reach 10 KiB. */
	HELPER_OUTPUT_MAX = 64 << 10,
	/* How much of a helper's complaint is of use in a message. */
	HELPER_MESSAGE_MAX = 200,
};

/* What the helpers of docker's project print when they have nothing. */
#define NOT_FOUND "credentials not found"

/* The name becomes part of a file name, and comes from a file. */
static bool name_valid(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	return *name && !name[strspn(name, letters)];
}

static int copy(char **out, const char *text, struct err *err)
{
	*out = strdup(text);
	return *out ? 0 : err_nomem(err);
}

static int read_answer(const struct buf *output, struct credential *out,
    struct err *err)
{
	json_auto_t *root = NULL;
	const char *user, *secret;
	int r;

	root = json_loadb(buf_str(output), output->len, 0, NULL);
	user = json_string_value(json_object_get(root, "Username"));
	secret = json_string_value(json_object_get(root, "Secret"));
	if (!user || !secret)
		return err_set(err, EIO, "the answer lacks Username or Secret");
	/* How some say that they have none. */
	if (!*user && !*secret)
		return 0;
	if (strcmp(user, KEY_TOKEN_USER) == 0)
		r = copy(&out->identity_token, secret, err);
	else
		r = copy(&out->password, secret, err);
	if (r == 0)
		r = copy(&out->username, user, err);
	return r < 0 ? r : 1;
}

/* Messages come on standard output, since the protocol's first days. */
static int read_failure(int status, const struct buf *output, struct err *err)
{
	char text[HELPER_MESSAGE_MAX];
	size_t len = strcspn(buf_str(output), "\r\n");

	if (strstr(buf_str(output), NOT_FOUND))
		return 0;
	if (!WIFEXITED(status))
		return err_set(err, EIO, "the program was killed");
	err_clean(text, sizeof(text), buf_str(output), len);
	return err_set(err, EIO, "exit status %d%s%s", WEXITSTATUS(status),
	    *text ? ": " : "", text);
}

/* A call of the program: 1 it did what it was told, output has its answer; 0 it
 * knows no such credentials. */
static int call(const char *name, const char *verb, const char *input,
    struct buf *output, struct err *err)
{
	AUTO_FREE char *program = NULL;
	int r;

	if (!name_valid(name))
		return err_set(err, EINVAL,
		    "not a valid name of a credential helper");
	program = strf("docker-credential-%s", name);
	if (!program)
		return err_nomem(err);
	/* At once, so that growing leaves no copies behind. */
	r = buf_reserve(output, HELPER_OUTPUT_MAX, err);
	if (r == 0) {
		const char *const argv[] = {program, verb, NULL};

		r = run(argv, input, HELPER_SECONDS, output, err);
	}
	if (r == 0)
		return 1;
	if (r > 0)
		r = read_failure(r, output, err);
	if (r == -ENOENT || r == -EFBIG)
		err->code = EIO;
	return r < 0 ? err_wrap(err, "credential helper %s", program) : 0;
}

int helper_get(const char *name, const char *server, struct credential *out,
    struct err *err)
{
	AUTO_SECRET_BUF struct buf output = BUF_INIT(HELPER_OUTPUT_MAX);
	int r = call(name, "get", server, &output, err);

	if (r != 1)
		return r;
	r = read_answer(&output, out, err);
	return r < 0 ? err_wrap(err, "credential helper docker-credential-%s",
			   name)
		     : r;
}

int helper_store(const char *name, const char *server,
    const struct credential *credential, struct err *err)
{
	AUTO_SECRET_BUF struct buf output = BUF_INIT(HELPER_OUTPUT_MAX);
	const char *token = credential->identity_token;
	json_auto_t *entry = json_pack("{s:s,s:s,s:s}", "ServerURL", server,
	    "Username", token ? KEY_TOKEN_USER : credential->username, "Secret",
	    token ? token : credential->password);
	AUTO_SECRET char *text = entry ? json_dumps(entry, JSON_COMPACT) : NULL;
	int r;

	if (!text)
		return err_set(err, EINVAL,
		    "user or password are not in UTF-8, which "
		    "docker-credential-%s needs",
		    name);
	r = call(name, "store", text, &output, err);
	if (r == 0)
		return err_set(err, EIO,
		    "docker-credential-%s has not stored the credentials",
		    name);
	return r < 0 ? r : 0;
}

int helper_erase(const char *name, const char *server, struct err *err)
{
	AUTO_SECRET_BUF struct buf output = BUF_INIT(HELPER_OUTPUT_MAX);

	return call(name, "erase", server, &output, err);
}
