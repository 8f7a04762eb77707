/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers to challenges. What a request's own 401 asks for comes first; some
 * registries (gcr.io) challenge only GET /v2/, and some (Harbor) name Basic
 * alone when a token was refused.
 */
#include "auth.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/strf.h"
#include "creds/secret.h"
#include "token.h"

/* What is to be authorized, and for whom. */
struct ask {
	struct registry *registry;
	const char *scope;
	const struct credential *credential;
	bool once;       /* a token server that fails is not asked again */
	char **identity; /* where a token for the credential goes, or NULL */
};

/* What a request needs: own as of auth_authorize(). */
struct wanted {
	struct registry *registry;
	const char *repository;
	const char *scope;
	const struct challenges *own;
};

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = words; (p = strstr(p, word)); p += len) {
		if ((p == words || p[-1] == ' ') &&
		    (p[len] == ' ' || p[len] == '\0'))
			return true;
	}
	return false;
}

/*
 * The challenge's scope first, for servers that read no more than one; ours
 * too, for those that challenge a push with `pull` (GHCR).
 */
static char *join_scopes(const char *challenge, const char *ours)
{
	if (!*challenge || has_word(ours, challenge))
		return strdup(ours);
	if (has_word(challenge, ours))
		return strdup(challenge);
	return strf("%s %s", challenge, ours);
}

static int bearer(const struct ask *ask, const struct http_challenge *challenge,
    const char *challenge_scope, char **value, uint64_t *lifetime,
    struct err *err)
{
	struct registry *registry = ask->registry;
	AUTO_FREE char *realm =
	    http_url_resolve(registry->origin, challenge->realm, err);
	AUTO_FREE char *scopes = join_scopes(challenge_scope, ask->scope);
	struct token_request request = {.realm = realm,
	    .service = challenge->service,
	    .scopes = scopes,
	    .credential = ask->credential,
	    .once = ask->once,
	    .offline = ask->identity};
	AUTO_SECRET char *text = NULL;
	struct token token = {0};
	int r;

	if (!realm)
		return -err->code;
	if (!scopes)
		return err_nomem(err);
	r = session_check_url(registry, realm, err);
	if (r < 0)
		return r;
	request.tls = session_trust(registry, realm);
	r = token_fetch(registry->http, &request, &token, err);
	if (r < 0)
		return err_wrap(err, "%s", registry_host(registry));
	text = token.text;
	if (ask->identity)
		*ask->identity = token.identity;
	else
		secret_free(token.identity);
	*lifetime = token.lifetime;
	log_debug(LOG_AUTH, "%s: a token for %s from %s, good for %llu s",
	    registry->address.host, scopes, realm,
	    (unsigned long long)token.lifetime);
	*value = strf("Bearer %s", text);
	return *value ? 0 : err_nomem(err);
}

static int basic(const struct ask *ask, char **value, uint64_t *lifetime,
    struct err *err)
{
	log_debug(LOG_AUTH, "%s: a password for %s",
	    ask->registry->address.host, ask->scope);
	*value = credential_basic(ask->credential);
	*lifetime = GRANT_FOREVER;
	return *value ? 0 : err_nomem(err);
}

/* 1 answered, 0 if there is nothing to answer with. */
static int answer(const struct ask *ask, const struct challenges *challenges,
    bool own, char **value, uint64_t *lifetime, struct err *err)
{
	bool password = challenges->basic && ask->credential->password;
	struct err failure = ERR_INIT;
	int r = -EACCES;

	if (!challenges->bearer && !password)
		return 0;
	/* GET /v2/ knows of no repository; some put an example there. */
	if (challenges->bearer)
		r = bearer(ask, &challenges->token,
		    own ? challenges->token.scope : "", value, lifetime,
		    &failure);
	if (r == -EACCES && password)
		return basic(ask, value, lifetime, err) < 0 ? -err->code : 1;
	if (r < 0)
		*err = failure;
	return r < 0 ? r : 1;
}

static int obtain(const struct ask *ask, const struct challenges *own,
    char **value, uint64_t *lifetime, struct err *err)
{
	struct registry *registry = ask->registry;
	const char *host = registry->address.host;
	int r = 0;

	if (ask->credential->registry_token) {
		*lifetime = GRANT_FOREVER;
		*value = strf("Bearer %s", ask->credential->registry_token);
		return *value ? 0 : err_nomem(err);
	}
	if (own)
		r = answer(ask, own, true, value, lifetime, err);
	if (r == 0)
		r = answer(ask, &registry->challenges, false, value, lifetime,
		    err);
	if (r != 0)
		return r < 0 ? r : 0;
	return err_set(err, EACCES,
	    "%s asks for credentials (for %s), and none were found: log in "
	    "with registryfs login %s",
	    host, ask->scope, host);
}

static int look_up_and_obtain(const struct wanted *wanted, char **value,
    uint64_t *lifetime, struct err *err)
{
	struct registry *registry = wanted->registry;
	CLEANUP(credential_release) struct credential credential = {0};
	struct ask ask = {registry, wanted->scope, &credential, false, NULL};
	int r = creds_lookup(registry->creds, registry->address.host,
	    wanted->repository, &credential, err);

	if (r < 0)
		return err_wrap(err, "no credentials for %s",
		    registry->address.host);
	r = obtain(&ask, wanted->own, value, lifetime, err);
	if (r == -EACCES && err->http == 401 &&
	    (credential.password || credential.identity_token))
		err_wrap(err,
		    "the stored credentials are refused (log in again with "
		    "registryfs login %s)",
		    registry->address.host);
	return r;
}

/* Whether credential helpers say something else now: what is refused may have
 * been good for some hours, and have ended. */
static bool has_changed(struct registry *registry)
{
	uint64_t version = creds_version(registry->creds);

	creds_ask_again(registry->creds, registry->address.host, CREDS_REFUSED);
	return creds_version(registry->creds) != version;
}

static int obtain_newest(const struct wanted *wanted, char **value,
    uint64_t *lifetime, struct err *err)
{
	struct err refusal = ERR_INIT;
	int r = look_up_and_obtain(wanted, value, lifetime, &refusal);

	if (r == -EACCES && has_changed(wanted->registry))
		return look_up_and_obtain(wanted, value, lifetime, err);
	if (r < 0)
		*err = refusal;
	return r;
}

int auth_obtain_once(struct registry *registry,
    const struct credential *credential, char **value, char **identity,
    struct err *err)
{
	const struct ask ask = {registry, "", credential, true, identity};
	uint64_t lifetime;

	return obtain(&ask, NULL, value, &lifetime, err);
}

int auth_authorize(struct registry *registry, const char *repository,
    const char *scope, const struct challenges *own, const char *refused,
    char **value, struct err *err)
{
	const struct wanted wanted = {registry, repository, scope, own};
	struct grants *grants = &registry->grants;
	uint64_t version, lifetime = 0;
	int r;

	*value = NULL;
	if (refused)
		creds_ask_again(registry->creds, registry->address.host,
		    CREDS_REFUSED);
	/* Before they are looked up: what changes meanwhile is seen next. */
	version = creds_version(registry->creds);
	if (!own && !registry->challenges.bearer && !registry->challenges.basic)
		return grants_peek(grants, scope, version, value, err);
	r = grants_begin(grants, scope, refused, version, value, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = obtain_newest(&wanted, value, &lifetime, err);
	grants_end(grants, scope, *value, lifetime, err);
	return r;
}
