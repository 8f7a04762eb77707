/* SPDX-License-Identifier: Apache-2.0 */
/* Auth files. */
#include "authfile.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/base64.h"
#include "creds/secret.h"
#include "key.h"

/* A member that may be absent, but is a string if it is there. */
static int get_string(const json_t *object, const char *name, const char **out,
    struct err *err)
{
	const json_t *value = json_object_get(object, name);

	*out = NULL;
	if (value && !json_is_string(value) && !json_is_null(value))
		return err_set(err, EINVAL, "\"%s\" is not a string", name);
	*out = json_string_value(value);
	return 0;
}

static int get_object(const json_t *object, const char *name, json_t **out,
    struct err *err)
{
	json_t *value = json_object_get(object, name);

	*out = NULL;
	if (value && !json_is_object(value) && !json_is_null(value))
		return err_set(err, EINVAL, "\"%s\" is not an object", name);
	*out = value;
	return 0;
}

/* Copies a member that says something. */
static int copy_string(const json_t *object, const char *name, char **out,
    struct err *err)
{
	const char *text;
	int r = get_string(object, name, &text, err);

	if (r < 0 || !text || !*text)
		return r;
	*out = strdup(text);
	return *out ? 0 : err_nomem(err);
}

/* "auth": base64 of "user:password". */
static int split_auth(const char *auth, struct credential *out, struct err *err)
{
	AUTO_SECRET char *text = NULL;
	char *colon;
	size_t len;

	if (base64_decode(auth, strlen(auth), &text, &len, err) < 0)
		return err_wrap(err, "\"auth\"");
	colon = strchr(text, ':');
	if (!colon)
		return err_set(err, EINVAL,
		    "\"auth\" is not the base64 of user:password");
	out->password = strdup(colon + 1);
	if (!out->password)
		return err_nomem(err);
	*colon = '\0';
	out->username = strdup(text);
	explicit_bzero(colon + 1, strlen(colon + 1));
	return out->username ? 0 : err_nomem(err);
}

static int read_entry(const json_t *entry, struct credential *out,
    struct err *err)
{
	const char *auth;
	int r = get_string(entry, "auth", &auth, err);

	if (r == 0 && auth && *auth) {
		r = split_auth(auth, out, err);
	} else if (r == 0) {
		r = copy_string(entry, "username", &out->username, err);
		if (r == 0)
			r = copy_string(entry, "password", &out->password, err);
	}
	if (r == 0)
		r = copy_string(entry, "identitytoken", &out->identity_token,
		    err);
	if (r == 0)
		r = copy_string(entry, "registrytoken", &out->registry_token,
		    err);
	if (r == 0 && !out->identity_token && out->username &&
	    strcmp(out->username, KEY_TOKEN_USER) == 0)
		out->identity_token = steal(&out->password);
	return r;
}

/* An empty entry says that the secret is in a helper's store. */
static bool is_empty(const json_t *entry)
{
	return json_is_null(entry) ||
	       (json_is_object(entry) && json_object_size(entry) == 0);
}

static int find_auth(json_t *auths, const char *host, const char *repository,
    struct authfile_answer *out, struct err *err)
{
	json_t *entry, *best = NULL;
	const char *key, *best_key = NULL;
	size_t best_match = 0;

	json_object_foreach(auths, key, entry)
	{
		size_t match = key_match(key, host, repository);

		if (match > best_match && !is_empty(entry)) {
			best = entry;
			best_key = key;
			best_match = match;
		}
	}
	if (!best)
		return 0;
	if (!json_is_object(best))
		return err_set(err, EINVAL,
		    "the entry of %.100s is not an object", best_key);
	if (read_entry(best, &out->credential, err) < 0)
		return err_wrap(err, "the entry of %.100s", best_key);
	out->found = out->credential.password ||
		     out->credential.registry_token ||
		     out->credential.identity_token;
	return 0;
}

/* The helper for the host alone, else the one for all. */
static int find_helper(json_t *root, const char *host, char **out,
    struct err *err)
{
	json_t *helpers, *name;
	const char *key, *best = NULL;
	size_t best_match = 0;
	int r = get_object(root, "credHelpers", &helpers, err);

	if (r < 0)
		return r;
	json_object_foreach(helpers, key, name)
	{
		size_t match = key_match(key, host, NULL);

		if (match > best_match && json_is_string(name)) {
			best = json_string_value(name);
			best_match = match;
		}
	}
	if (!best)
		return copy_string(root, "credsStore", out, err);
	/* An empty name takes the host out of the store's hands. */
	if (!*best)
		return 0;
	*out = strdup(best);
	return *out ? 0 : err_nomem(err);
}

static bool is_dockercfg(const json_t *root)
{
	return !json_object_get(root, "auths") &&
	       !json_object_get(root, "credHelpers") &&
	       !json_object_get(root, "credsStore");
}

/* The text as an object: 0 with *out, or NULL of a file without content, as
 * `touch` and an interrupted login leave it. */
static int parse(const char *text, size_t len, json_t **out, struct err *err)
{
	json_error_t where;

	*out = NULL;
	if (len == 0)
		return 0;
	*out = json_loadb(text, len, 0, &where);
	if (!*out)
		return err_set(err, EINVAL, "not JSON in line %d", where.line);
	return json_is_object(*out) ? 0
				    : err_set(err, EINVAL, "not a JSON object");
}

int authfile_find(const char *text, size_t len, const char *host,
    const char *repository, struct authfile_answer *out, struct err *err)
{
	json_auto_t *root = NULL;
	json_t *auths;
	int r;

	*out = (struct authfile_answer){0};
	r = parse(text, len, &root, err);
	if (r < 0 || !root)
		return r;
	if (is_dockercfg(root))
		return find_auth(root, host, repository, out, err);
	r = get_object(root, "auths", &auths, err);
	if (r == 0)
		r = find_helper(root, host, &out->helper, err);
	if (r == 0)
		r = find_auth(auths, host, repository, out, err);
	return r;
}

/* Those that are keys of an object, which may be absent. */
static int each_key(json_t *object, creds_host_fn *each, void *arg,
    struct err *err)
{
	const char *key;
	json_t *value;
	int r = 0;

	json_object_foreach(object, key, value)
	{
		AUTO_FREE char *host = key_host(key);

		r = host ? each(arg, host, err) : err_nomem(err);
		if (r != 0)
			break;
	}
	return r;
}

int authfile_hosts(const char *text, size_t len, creds_host_fn *each, void *arg,
    struct err *err)
{
	json_auto_t *root = NULL;
	json_t *auths, *helpers;
	int r = parse(text, len, &root, err);

	if (r < 0 || !root)
		return r;
	if (is_dockercfg(root))
		return each_key(root, each, arg, err);
	r = get_object(root, "auths", &auths, err);
	if (r == 0)
		r = get_object(root, "credHelpers", &helpers, err);
	if (r == 0)
		r = each_key(auths, each, arg, err);
	return r == 0 ? each_key(helpers, each, arg, err) : r;
}

void authfile_answer_release(struct authfile_answer *answer)
{
	free(answer->helper);
	credential_release(&answer->credential);
	*answer = (struct authfile_answer){0};
}
