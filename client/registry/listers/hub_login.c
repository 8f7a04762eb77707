/* SPDX-License-Identifier: Apache-2.0 */
/* Docker Hub: the login at its API. */
#include "hub.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/strf.h"
#include "creds/secret.h"
#include "http/grammar.h"

#define LOGIN_SCOPE \
	HUB_API /* of our grants, which no registry's scope is like */

enum {
	LOGIN_MAX = 64 << 10,
	LOGIN_LIFETIME = 300, /* seconds; the token is good for 600 */
};

static int write_login(struct buf *body, const struct credential *credential,
    struct err *err)
{
	int r = buf_addstr(body, "{\"identifier\":", err);

	if (r == 0)
		r = escape_json(body, credential->username, err);
	if (r == 0)
		r = buf_addstr(body, ",\"secret\":", err);
	if (r == 0)
		r = escape_json(body, credential->password, err);
	return r < 0 ? r : buf_addstr(body, "}", err);
}

/* *value: "Bearer …". */
static int log_in_with(const struct service *service,
    const struct credential *credential, char **value, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	AUTO_SECRET_BUF struct buf body = BUF_INIT(LOGIN_MAX);
	json_auto_t *root = NULL;
	const char *token;
	int r = write_login(&body, credential, err);

	if (r == 0)
		r = service_send(service, "POST", HUB_API "/auth/token", &body,
		    &response, err);
	if (r == 0 && http_status(response) != 200)
		r = service_refused(service, response, err);
	if (r == 0)
		r = service_read_json(service, response, &root, err);
	if (r < 0)
		return r;
	token = json_string_value(json_object_get(root, "access_token"));
	*value = token ? strf("Bearer %s", token) : NULL;
	return *value ? 0
		      : err_set(err, EIO,
			    "Docker Hub's answer to a login has no token");
}

int hub_authorize(struct registry *registry, char **value, struct err *err)
{
	const struct service service = {registry, "the login at hub.docker.com",
	    NULL, NULL, NULL};
	CLEANUP(credential_release) struct credential credential = {0};
	uint64_t version = creds_version(registry->creds);
	int r = service_credential(registry, &credential, err);

	*value = NULL;
	if (r <= 0)
		return r;
	r = grants_begin(&registry->grants, LOGIN_SCOPE, NULL, version, value,
	    err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = log_in_with(&service, &credential, value, err);
	grants_end(&registry->grants, LOGIN_SCOPE, *value, LOGIN_LIFETIME, err);
	return r;
}
