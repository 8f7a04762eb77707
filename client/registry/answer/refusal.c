/* SPDX-License-Identifier: Apache-2.0 */
/* Error bodies into sentences and errnos. */
#include "refusal.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "words.h"

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

/* Texts that are no JSON: a line, or a page. */
static void read_line(const char *text, struct refusal *out)
{
	const char *line = text + strspn(text, " \t\r\n");

	if (*line != '<')
		err_clean(out->message, sizeof(out->message), line,
		    strcspn(line, "\r\n"));
}

/* Of what says nothing to a program, a person may yet understand the words. */
static void read_words(const char *text, size_t len, struct refusal *out)
{
	char words[WORDS_SIZE];

	out->form =
	    words_are_a_page(text, len) ? REFUSAL_PAGE : REFUSAL_STRANGE;
	words_read(text, len, words);
	memcpy(out->message, words, sizeof(words));
	if (out->form == REFUSAL_STRANGE && !*words)
		out->form = REFUSAL_SPOKEN;
}

void refusal_parse(const char *text, size_t len, struct refusal *out)
{
	json_auto_t *root = json_loadb(text, len, JSON_DECODE_ANY, NULL);

	*out->code = '\0';
	*out->message = '\0';
	out->form = REFUSAL_SPOKEN;
	if (!root)
		read_line(text, out);
	read_first(json_array_get(json_object_get(root, "errors"), 0), out);
	if (!*out->message)
		read_other(root, out);
	if (!*out->message && !*out->code)
		read_words(text, len, out);
}

void refusal_read(struct http_response *response, struct refusal *out)
{
	AUTO_BUF struct buf body = BUF_INIT(BODY_MAX);

	out->status = http_status(response);
	http_read_all(response, &body, ERR_IGNORE);
	refusal_parse(buf_str(&body), body.len, out);
}

static bool is_policy(const struct refusal *refusal)
{
	int status = refusal->status;

	if (refusal->form != REFUSAL_SPOKEN ||
	    (status != 400 && status != 403 && status != 405 && status != 409))
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
	/* A redirect that is not followed, or a success that stored nothing. */
	if (status < 400)
		return EIO;
	return http_status_errno(status);
}

/* What was answered, as the end of a sentence. */
static void describe(const struct refusal *refusal, char *out, size_t size)
{
	const char *code = refusal->code;
	const char *message = *refusal->message ? refusal->message : code;
	const char *with = "";
	int status = refusal->status;

	if (status >= 400 && refusal->form == REFUSAL_SPOKEN) {
		if (*refusal->message)
			snprintf(out, size, "%s (%d%s%s)", message, status,
			    *code ? " " : "", code);
		else
			snprintf(out, size, "status %d%s%s", status,
			    *code ? " " : "", code);
		return;
	}
	if (refusal->form == REFUSAL_PAGE)
		with = *message ? "a page: " : "a page";
	else if (!*message)
		with = "nothing";
	snprintf(out, size, "answered %d with %s%s%s%s", status, with,
	    *message ? "\"" : "", message, *message ? "\"" : "");
}

int refusal_err(const struct refusal *refusal, const char *host,
    const char *what, const char *scope, struct err *err)
{
	int code = refusal_errno(refusal);
	bool access = code == EACCES && scope;
	char said[sizeof(err->msg)];

	describe(refusal, said, sizeof(said));
	err_set(err, code, "%s: %s%s%s%s: %s", host, what,
	    access ? " (needs " : "", access ? scope : "", access ? ")" : "",
	    said);
	err->http = refusal->status;
	return -code;
}

int refusal_of_body(const char *text, size_t len, struct err *err)
{
	struct refusal refusal = {.status = 200};
	char said[sizeof(err->msg)];

	refusal_parse(text, len, &refusal);
	describe(&refusal, said, sizeof(said));
	err_set(err, EIO, "%s", said);
	err->http = refusal.status;
	return -EIO;
}

bool refusal_is_absence(const struct refusal *refusal)
{
	return (refusal->status == 404 || refusal->status == 410) &&
	       (strstr(refusal->code, "_UNKNOWN") ||
		   strstr(refusal->code, "NOT_FOUND"));
}

bool refusal_is_open(const struct err *err)
{
	if (!err->http)
		return err->code == ECONNRESET;
	return err->http < 400 || err->http == 502 || err->http == 504;
}
