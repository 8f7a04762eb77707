/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of auth files. */
#include "document.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/base64.h"
#include "base/strf.h"
#include "creds/secret.h"
#include "key.h"

/* The object that the text is, or a new one where it is empty. NULL: err says
 * why. */
static json_t *parse(const char *text, size_t len, struct err *err)
{
	json_error_t where;
	json_t *root =
	    len == 0 ? json_object() : json_loadb(text, len, 0, &where);

	if (!root)
		err_set(err, EINVAL, "not JSON in line %d", where.line);
	else if (json_is_object(root))
		return root;
	else
		err_set(err, EINVAL, "not a JSON object");
	json_decref(root);
	return NULL;
}

/* Its "auths", borrowed; made if need be. ~/.dockercfg has them without. */
static int get_auths(json_t *root, json_t **out, struct err *err)
{
	json_t *auths = json_object_get(root, "auths");

	if (auths && !json_is_object(auths) && !json_is_null(auths))
		return err_set(err, EINVAL, "\"auths\" is not an object");
	if (!json_is_object(auths)) {
		auths = json_object();
		if (json_object_set_new(root, "auths", auths) < 0)
			return err_nomem(err);
	}
	*out = auths;
	return 0;
}

static int remove_host(json_t *auths, const char *host, const char *but)
{
	const char *key;
	json_t *entry;
	void *next;
	int count = 0;

	json_object_foreach_safe(auths, next, key, entry)
	{
		if (!key_match(key, host, NULL) ||
		    (but && strcmp(key, but) == 0))
			continue;
		json_object_del(auths, key);
		count++;
	}
	return count;
}

static int print(const json_t *root, char **out, struct err *err)
{
	AUTO_SECRET char *text = json_dumps(root, JSON_INDENT(2));

	*out = text ? strf("%s\n", text) : NULL;
	return *out ? 0 : err_nomem(err);
}

/* What docker's "auth" is: with an identity token, it has no password. */
static int set_secret(json_t *entry, const struct credential *credential,
    struct err *err)
{
	const char *token = credential->identity_token;
	const char *user = credential->username ? credential->username : "";
	AUTO_SECRET char *pair =
	    strf("%s:%s", user, token ? "" : credential->password);
	AUTO_SECRET char *auth =
	    pair ? base64_encode("", pair, strlen(pair)) : NULL;

	if (!auth || json_object_set_new(entry, "auth", json_string(auth)) < 0)
		return err_nomem(err);
	if (token &&
	    json_object_set_new(entry, "identitytoken", json_string(token)) < 0)
		return err_set(err, EINVAL, "the token is not in UTF-8");
	return 0;
}

static int set_entry(json_t *auths, const char *key,
    const struct credential *credential, struct err *err)
{
	static const char *const secrets[] = {"auth", "username", "password",
	    "identitytoken", "registrytoken"};
	json_t *entry = json_object_get(auths, key);

	if (!json_is_object(entry)) {
		entry = json_object();
		if (json_object_set_new(auths, key, entry) < 0)
			return err_nomem(err);
	}
	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
		json_object_del(entry, secrets[i]);
	return credential ? set_secret(entry, credential, err) : 0;
}

int document_set(const char *text, size_t len, const char *host,
    const char *key, const struct credential *credential, char **out,
    struct err *err)
{
	json_auto_t *root = parse(text, len, err);
	json_t *auths;
	int r = root ? get_auths(root, &auths, err) : -err->code;

	if (r < 0)
		return r;
	remove_host(auths, host, key);
	r = set_entry(auths, key, credential, err);
	return r < 0 ? r : print(root, out, err);
}

int document_remove(const char *text, size_t len, const char *host, char **out,
    struct err *err)
{
	json_auto_t *root = parse(text, len, err);
	json_t *auths = root ? json_object_get(root, "auths") : NULL;

	if (!root)
		return -err->code;
	if (!remove_host(json_is_object(auths) ? auths : root, host, NULL))
		return 0;
	return print(root, out, err) < 0 ? -err->code : 1;
}
