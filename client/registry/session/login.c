/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a registry takes the stored credentials: what `docker login` asks. */
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

/* Whether the token server, or the registry itself, refuses the credential.
 * That one of them cannot be asked is for who needs it to find out. */
static bool is_refused(struct registry *registry,
    const struct credential *credential)
{
	AUTO_SECRET char *value = NULL;
	struct err err = ERR_INIT;
	uint64_t lifetime;
	int r = auth_obtain_once(registry, credential, &value, &lifetime, &err);

	if (r == 0)
		r = ask(registry, value, &err);
	if (r < 0)
		log_debug(LOG_AUTH, "asking about the stored credentials: %s",
		    err.msg);
	return r == 401 ||
	       (r == -EACCES && (err.http == 401 || err.http == 403));
}

/* Identity tokens have names that say nothing. */
static const char *name_of(const struct credential *credential)
{
	bool named = credential->username && *credential->username &&
		     !credential->identity_token && !credential->registry_token;

	return named ? credential->username : NULL;
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
	    "docker login %s or podman login %s, or log out to read what is "
	    "public",
	    host, name ? " of " : "", name ? name : "", host, host);
}
