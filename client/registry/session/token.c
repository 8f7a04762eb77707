/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer tokens. */
#include "token.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "answer/refusal.h"
#include "answer/words.h"
#include "base/parse.h"
#include "base/strf.h"
#include "creds/secret.h"
#include "http/grammar.h"

enum {
	/* Tokens of registries with many permissions have some 10 KiB. */
	TOKEN_ANSWER_MAX = 1 << 20,
	/* What the specification says where the answer does not. */
	TOKEN_DEFAULT_LIFETIME = 60,
	/* A clock that jumps must not keep a token for ever. */
	TOKEN_MAX_LIFETIME = 24 * 60 * 60,
	TOKEN_REDIRECTS = 5,
};

#define CLIENT_ID "registryfs"

/* "&name=value", escaped. Scopes are public, tokens are not: the buffer's
 * owner wipes it. */
static int add_field(struct buf *form, const char *name, const char *value,
    struct err *err)
{
	AUTO_SECRET char *escaped = http_url_escape(value);

	if (!escaped)
		return err_nomem(err);
	return buf_addf(form, err, "%s%s=%s", form->len ? "&" : "", name,
	    escaped);
}

/* One field a scope: that is how docker asks, and all servers understand. */
static int add_scopes(struct buf *form, const char *scopes, struct err *err)
{
	int r = 0;

	while (r == 0 && *scopes) {
		size_t len = strcspn(scopes, " ");
		AUTO_FREE char *scope = strndup(scopes, len);

		if (!scope)
			return err_nomem(err);
		if (*scope)
			r = add_field(form, "scope", scope, err);
		scopes += len + strspn(scopes + len, " ");
	}
	return r;
}

static int open_get(struct http *http, const struct token_request *request,
    struct http_response **out, struct err *err)
{
	const struct credential *credential = request->credential;
	AUTO_SECRET char *basic = NULL, *authorization = NULL;
	AUTO_BUF struct buf query = BUF_INIT(TOKEN_ANSWER_MAX);
	AUTO_BUF struct buf url = BUF_INIT(TOKEN_ANSWER_MAX);
	const char *headers[] = {NULL, NULL};
	struct http_request get = {.method = "GET",
	    .headers = headers,
	    .tls = request->tls,
	    .max_redirects = TOKEN_REDIRECTS,
	    .retry = !request->once};
	int r = 0;

	if (*request->service)
		r = add_field(&query, "service", request->service, err);
	if (r == 0)
		r = add_scopes(&query, request->scopes, err);
	if (r == 0 && request->offline)
		r = add_field(&query, "offline_token", "true", err);
	if (r == 0 && credential->password) {
		r = add_field(&query, "account",
		    credential->username ? credential->username : "", err);
		basic = credential_basic(credential);
		authorization = basic ? strf("Authorization: %s", basic) : NULL;
		headers[0] = authorization;
		if (!authorization)
			return err_nomem(err);
	}
	if (r == 0)
		r = buf_addf(&url, err, "%s%s%s", request->realm,
		    strchr(request->realm, '?') ? "&" : "?", buf_str(&query));
	get.url = buf_str(&url);
	return r < 0 ? r : http_open(http, &get, out, err);
}

static int open_post(struct http *http, const struct token_request *request,
    struct http_response **out, struct err *err)
{
	static const char *const headers[] =
	    {"Content-Type: application/x-www-form-urlencoded", NULL};
	AUTO_SECRET_BUF struct buf form = BUF_INIT(TOKEN_ANSWER_MAX);
	struct http_request post = {.method = "POST",
	    .url = request->realm,
	    .headers = headers,
	    .tls = request->tls,
	    .retry = !request->once};
	int r = add_field(&form, "grant_type", "refresh_token", err);

	if (r == 0)
		r = add_field(&form, "client_id", CLIENT_ID, err);
	if (r == 0)
		r = add_field(&form, "service", request->service, err);
	if (r == 0 && *request->scopes)
		r = add_field(&form, "scope", request->scopes, err);
	if (r == 0)
		r = add_field(&form, "refresh_token",
		    request->credential->identity_token, err);
	post.body.data = buf_str(&form);
	post.body.size = form.len;
	return r < 0 ? r : http_open(http, &post, out, err);
}

/* Whether it can stand in a header field. */
static bool token_valid(const char *text)
{
	if (!text || !*text)
		return false;
	for (; *text; text++) {
		if (*text <= ' ' || *text > '~')
			return false;
	}
	return true;
}

/* How long ago the server made it, as far as the clocks agree. */
static uint64_t token_age(const json_t *root, time_t now, uint64_t lifetime)
{
	const char *text =
	    json_string_value(json_object_get(root, "issued_at"));
	int64_t issued;
	uint32_t nanos;

	if (!text || !parse_rfc3339(&text, &issued, &nanos))
		return 0;
	if (issued >= now || (uint64_t)(now - issued) >= lifetime)
		return 0;
	return (uint64_t)(now - issued);
}

/* An invalid one is left out: the token is what was asked for. */
static int copy_identity(const json_t *root, struct token *out, struct err *err)
{
	const char *text =
	    json_string_value(json_object_get(root, "refresh_token"));

	if (!text || !*text)
		return 0;
	out->identity = strdup(text);
	return out->identity ? 0 : err_nomem(err);
}

int token_parse(const char *text, size_t len, time_t now, struct token *out,
    struct err *err)
{
	json_auto_t *root = json_loadb(text, len, 0, NULL);
	const char *token;
	json_int_t lifetime;

	/* Of anything but a page, the words may be a secret. */
	if (!root && words_are_a_page(text, len))
		return refusal_of_body(text, len, err);
	if (!root)
		return err_set(err, EIO, "the answer is not JSON");
	token = json_string_value(json_object_get(root, "token"));
	if (!token || !*token)
		token =
		    json_string_value(json_object_get(root, "access_token"));
	if (!token_valid(token))
		return err_set(err, EIO, "the answer has no token");
	lifetime = json_integer_value(json_object_get(root, "expires_in"));
	if (lifetime <= 0)
		lifetime = TOKEN_DEFAULT_LIFETIME;
	if (lifetime > TOKEN_MAX_LIFETIME)
		lifetime = TOKEN_MAX_LIFETIME;
	out->lifetime =
	    (uint64_t)lifetime - token_age(root, now, (uint64_t)lifetime);
	out->text = strdup(token);
	if (!out->text)
		return err_nomem(err);
	if (copy_identity(root, out, err) == 0)
		return 0;
	secret_free(steal(&out->text));
	return -err->code;
}

/* Words that are neither a page's nor those of a refusal may be a token's. */
static void hide_words(struct refusal *refusal)
{
	if (refusal->form == REFUSAL_STRANGE ||
	    (refusal->form == REFUSAL_SPOKEN && refusal->status < 400))
		snprintf(refusal->message, sizeof(refusal->message),
		    "(not shown)");
}

static int token_refused(struct http_response *response,
    const struct token_request *request, struct err *err)
{
	const struct credential *credential = request->credential;
	const char *user = credential->username;
	struct refusal refusal;
	char what[sizeof(err->msg)], url[sizeof(err->msg)];

	refusal_read(response, &refusal);
	hide_words(&refusal);
	snprintf(what, sizeof(what), "no token for \"%.200s\" %s%.100s",
	    request->scopes, user ? "to " : "without credentials",
	    user ? user : "");
	/* Its query says the same in a form that nobody reads. */
	snprintf(url, sizeof(url), "%.*s",
	    (int)strcspn(http_url(response), "?"), http_url(response));
	refusal_err(&refusal, url, what, NULL, err);
	/* Whatever it says of the request, access is what was asked for. */
	if (refusal.status >= 400 && refusal.status < 500 &&
	    refusal.status != 429)
		err->code = EACCES;
	return -err->code;
}

int token_fetch(struct http *http, const struct token_request *request,
    struct token *out, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	AUTO_SECRET_BUF struct buf answer = BUF_INIT(TOKEN_ANSWER_MAX);
	int r = request->credential->identity_token
		    ? open_post(http, request, &response, err)
		    : open_get(http, request, &response, err);

	if (r < 0)
		return r;
	if (http_status(response) != 200)
		return token_refused(response, request, err);
	r = http_read_all(response, &answer, err);
	if (r < 0)
		return r;
	return token_parse(buf_str(&answer), answer.len, time(NULL), out, err);
}
