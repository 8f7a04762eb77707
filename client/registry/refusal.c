/* SPDX-License-Identifier: Apache-2.0 */
/* Error bodies into sentences and errnos. */
#include "refusal.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"

enum {
	/* Error bodies are short; a login page in its place is of no use. */
	BODY_MAX = 64 << 10,
};

/* What stands between the user and the thing, by the registry's own code. */
static const struct {
	const char *code;
	int value;
} codes[] = {
    {"UNAUTHORIZED", EACCES},
    {"DENIED", EACCES},
    {"NAME_UNKNOWN", ENOENT},
    {"MANIFEST_UNKNOWN", ENOENT},
    {"BLOB_UNKNOWN", ENOENT},
    {"UNSUPPORTED", EOPNOTSUPP},
    {"TOOMANYREQUESTS", EBUSY},
};

/* How messages of refusals by policy read: Harbor, ECR, Quay, Artifactory. */
static const char *const policy_words[] = {
    "immutable",
    "overwritten",
    "quota",
    "by policy",
    "read-only",
    "readonly",
};

static void copy_clean(char *out, size_t size, const json_t *value)
{
	const char *text = json_string_value(value);

	if (text)
		err_clean(out, size, text, strlen(text));
}

/* {"errors":[{"code","message","detail"}]}; a detail that is a string often
 * says more than the message, which repeats the code. */
static void read_first(const json_t *first, struct refusal *out)
{
	const json_t *detail = json_object_get(first, "detail");

	copy_clean(out->code, sizeof(out->code),
	    json_object_get(first, "code"));
	copy_clean(out->message, sizeof(out->message),
	    json_object_get(first, "message"));
	if (!*out->message)
		copy_clean(out->message, sizeof(out->message), detail);
}

/* Forms outside the specification, a string each. */
static void read_other(const json_t *root, struct refusal *out)
{
	static const char *const names[] = {"message", "error_description",
	    "error", "details", "detail"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!*out->message)
			copy_clean(out->message, sizeof(out->message),
			    json_object_get(root, names[i]));
	}
}

static void read_plain(const char *text, size_t len, struct refusal *out)
{
	size_t blank = strspn(text, " \t\r\n");

	/* A page is written for browsers. */
	if (text[blank] == '<' || text[blank] == '\0')
		return;
	len = strcspn(text + blank, "\r\n");
	err_clean(out->message, sizeof(out->message), text + blank, len);
}

void refusal_parse(const char *text, size_t len, struct refusal *out)
{
	json_auto_t *root = json_loadb(text, len, JSON_DECODE_ANY, NULL);

	*out->code = '\0';
	*out->message = '\0';
	if (!root)
		read_plain(text, len, out);
	read_first(json_array_get(json_object_get(root, "errors"), 0), out);
	if (!*out->message)
		read_other(root, out);
}

void refusal_read(struct http_response *response, struct refusal *out)
{
	AUTO_BUF struct buf body = BUF_INIT(BODY_MAX);
	struct err ignored = ERR_INIT;

	out->status = http_status(response);
	http_read_all(response, &body, &ignored);
	refusal_parse(buf_str(&body), body.len, out);
}

static bool is_policy(const struct refusal *refusal)
{
	int status = refusal->status;

	if (status != 400 && status != 403 && status != 405 && status != 409)
		return false;
	for (size_t i = 0; i < sizeof(policy_words) / sizeof(*policy_words);
	     i++) {
		if (strcasestr(refusal->message, policy_words[i]))
			return true;
	}
	return false;
}

int refusal_errno(const struct refusal *refusal)
{
	int status = refusal->status;

	if (is_policy(refusal))
		return EPERM;
	/* A code is more precise than 400; other statuses say it themselves. */
	for (size_t i = 0; status == 400 && i < sizeof(codes) / sizeof(*codes);
	     i++) {
		if (strcmp(refusal->code, codes[i].code) == 0)
			return codes[i].value;
	}
	/* A redirect that nobody follows, or a success that is none. */
	if (status < 400)
		return EIO;
	return http_status_errno(status);
}

int refusal_err(const struct refusal *refusal, const char *host,
    const char *what, const char *scope, struct err *err)
{
	int code = refusal_errno(refusal);
	bool access = code == EACCES && scope;

	err_set(err, code, "%s: %s%s%s%s: %s%s%d%s%s%s", host, what,
	    access ? " (needs " : "", access ? scope : "", access ? ")" : "",
	    refusal->message, *refusal->message ? " (" : "status ",
	    refusal->status, *refusal->code ? " " : "", refusal->code,
	    *refusal->message ? ")" : "");
	err->http = refusal->status;
	return -code;
}
