/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a registry takes credentials: what `docker login` asks. */
#include <errno.h>
#include <string.h>

#include "auth.h"
#include "base/log.h"
#include "base/strf.h"
#include "creds/secret.h"

/* GET /v2/ with that value: its status, or -errno. */
static int ask(struct registry *registry, const char *authorization,
    struct err *err)
{
	AUTO_FREE char *url = strf("%s/v2/", registry->root);
	AUTO_SECRET char *line = strf("Authorization: %s", authorization);
	CLEANUP(http_close_p) struct http_response *response = NULL;
	const char *headers[] = {line, NULL};
	struct http_request request = {.method = "GET",
	    .url = url,
	    .headers = headers,
	    .tls = &registry->tls};
	int r;

	if (!url || !line)
		return err_nomem(err);
	r = http_open(registry->http, &request, &response, err);
	return r < 0 ? r : http_status(response);
}

/* Shows it the credential. 0 taken, 1 refused by the token server or by the
 * registry itself, or why that cannot be known; in each case but 0 err says
 * why. */
static int show(struct registry *registry, const struct credential *credential,
    char **identity, struct err *err)
{
	AUTO_SECRET char *value = NULL;
	int r = auth_obtain_once(registry, credential, &value, identity, err);

	if (r == -EACCES && (err->http == 401 || err->http == 403))
		return 1;
	if (r < 0)
		return r;
	r = ask(registry, value, err);
	if (r < 0 || (r >= 200 && r < 300))
		return r < 0 ? r : 0;
	err_set(err, r == 401 ? EACCES : EIO, "GET /v2/ is answered with %d",
	    r);
	return r == 401 ? 1 : -err->code;
}

/* That one of them cannot be asked is for who needs it to find out. */
static bool is_refused(struct registry *registry,
    const struct credential *credential)
{
	struct err err = ERR_INIT;
	int r = show(registry, credential, NULL, &err);

	if (r < 0)
		log_debug(LOG_AUTH, "asking about the stored credentials: %s",
		    err.msg);
	return r == 1;
}

/* Whether the token server takes the token that it gave for a credential. */
static bool serves(struct registry *registry,
    const struct credential *credential, char *identity)
{
	const struct credential instead = {.username = credential->username,
	    .identity_token = identity};
	struct err err = ERR_INIT;
	int r = show(registry, &instead, NULL, &err);

	if (r != 0)
		log_debug(LOG_AUTH, "the identity token is not used: %s",
		    err.msg);
	return r == 0;
}

int registry_try_login(struct registry *registry,
    const struct credential *credential, char **identity, struct err *err)
{
	const struct challenges *challenges = &registry->challenges;
	const char *host = registry->address.host;
	AUTO_SECRET char *token = NULL;
	struct err failure = ERR_INIT;
	int r;

	*identity = NULL;
	if (!challenges->basic && !challenges->bearer)
		return 0;
	r = show(registry, credential, &token, &failure);
	if (r == 0) {
		if (token && serves(registry, credential, token))
			*identity = steal(&token);
		return 1;
	}
	if (r == 1)
		return err_set(err, EACCES,
		    "%s refuses the user or the password: %.300s", host,
		    failure.msg);
	*err = failure;
	return err_wrap(err, "cannot log in to %s", host);
}

/* Identity tokens have names that say nothing. */
static const char *name_of(const struct credential *credential)
{
	bool named = credential->username && *credential->username &&
		     !credential->identity_token && !credential->registry_token;

	return named ? credential->username : NULL;
}

bool registry_lacks_login(struct registry *registry, const char *repository)
{
	CLEANUP(credential_release) struct credential credential = {0};

	return creds_lookup(registry->creds, registry->address.host, repository,
		   &credential, ERR_IGNORE) == 0;
}

int registry_check_login(struct registry *registry, const char *repository,
    struct err *err)
{
	CLEANUP(credential_release) struct credential credential = {0};
	const struct challenges *challenges = &registry->challenges;
	const char *host = registry->address.host;
	const char *name;
	int r;

	if (!challenges->basic && !challenges->bearer)
		return 0;
	r = creds_lookup(registry->creds, host, repository, &credential, err);
	if (r < 0)
		return err_wrap(err, "no credentials for %s", host);
	if (r == 0 || !is_refused(registry, &credential))
		return 0;
	name = name_of(&credential);
	return err_set(err, EACCES,
	    "%s refuses the stored credentials%s%.100s: log in again with "
	    "registryfs login %s, or log out with registryfs logout %s to read "
	    "what is public",
	    host, name ? " of " : "", name ? name : "", host, host);
}
