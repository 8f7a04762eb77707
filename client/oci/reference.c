/* SPDX-License-Identifier: Apache-2.0 */
/* The grammars of names: repositories, tags, references. */
#include "oci/reference.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static bool is_tag_char(char c)
{
	return is_alnum(c) || c == '_' || c == '.' || c == '-';
}

/* How many characters from text on are a separator: . or _ or __ or -+ */
static size_t separator_len(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] == text[0])
		n++;
	switch (text[0]) {
	case '.':
		return n == 1 ? n : 0;
	case '_':
		return n <= 2 ? n : 0;
	case '-':
		return n;
	default:
		return 0;
	}
}

bool repository_component_valid(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t start = i;
		size_t separator;

		while (i < len && is_lower_alnum(text[i]))
			i++;
		if (i == start)
			return false;
		if (i == len)
			return true;
		separator = separator_len(text + i, len - i);
		if (separator == 0)
			return false;
		i += separator;
	}
	return false;
}

bool repository_valid(const char *text)
{
	if (strlen(text) > REPOSITORY_MAX)
		return false;
	for (;;) {
		size_t len = strcspn(text, "/");

		if (!repository_component_valid(text, len))
			return false;
		if (!text[len])
			return true;
		text += len + 1;
	}
}

bool tag_valid(const char *text, size_t len)
{
	if (len == 0 || len > TAG_MAX || text[0] == '.' || text[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_tag_char(text[i]))
			return false;
	return true;
}

bool tag_is_referrers(const char *tag)
{
	/* The scheme cuts longer digests down to this. */
	enum { HEX_DIGITS = 64 };
	static const char *const endings[] = {"", ".sig", ".att", ".sbom"};
	const char *ending;

	if (strncmp(tag, "sha256-", 7) != 0 && strncmp(tag, "sha512-", 7) != 0)
		return false;
	if (strspn(tag + 7, "0123456789abcdef") != HEX_DIGITS)
		return false;
	ending = tag + 7 + HEX_DIGITS;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (strcmp(ending, endings[i]) == 0)
			return true;
	return false;
}

static int invalid(const char *text, const char *why, struct err *err)
{
	char shown[128];

	err_clean(shown, sizeof(shown), text, strlen(text));
	return err_set(err, EINVAL, "\"%s\" is not an image reference: %s",
	    shown, why);
}

/* As Docker has it: no repository's first component looks like a host. */
bool reference_host(const char *text, size_t len)
{
	return memchr(text, '.', len) || memchr(text, ':', len) ||
	       (len == strlen("localhost") &&
		   memcmp(text, "localhost", len) == 0);
}

static bool host_valid(const char *text, size_t len)
{
	const char *end = text + len;
	const char *p = text;

	if (p < end && *p == '[') { /* an IPv6 address */
		do
			p++;
		while (p < end && (is_alnum(*p) || *p == ':' || *p == '.'));
		if (p == end || *p != ']')
			return false;
		p++;
	} else {
		while (p < end && (is_alnum(*p) || *p == '-' || *p == '.'))
			p++;
	}
	if (p == text || p == end)
		return p != text;
	if (*p++ != ':' || p == end)
		return false;
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p == end;
}

static bool name_valid(const char *name)
{
	size_t len = strcspn(name, "/");

	if (!name[len] || !reference_host(name, len))
		return repository_valid(name);
	return host_valid(name, len) && repository_valid(name + len + 1);
}

/* The colon before the tag, or NULL: one after the last slash, since one
 * before it belongs to a port. */
static const char *tag_colon(const char *text, size_t len)
{
	const char *slash = memrchr(text, '/', len);
	const char *from = slash ? slash : text;

	return memchr(from, ':', len - (size_t)(from - text));
}

int reference_parse(struct reference *reference, const char *text,
    struct err *err)
{
	struct reference parsed = {.name = ""};
	size_t len = strcspn(text, "@");
	const char *colon = tag_colon(text, len);
	size_t name_len = colon ? (size_t)(colon - text) : len;
	int r;

	if (name_len >= sizeof(parsed.name))
		return invalid(text, "the name is too long", err);
	memcpy(parsed.name, text, name_len);
	if (!name_valid(parsed.name))
		return invalid(text, "not a valid repository name", err);
	if (colon) {
		size_t tag_len = len - name_len - 1;

		if (!tag_valid(colon + 1, tag_len))
			return invalid(text, "not a valid tag name", err);
		memcpy(parsed.tag, colon + 1, tag_len);
	}
	if (text[len] == '@') {
		r = digest_parse(&parsed.digest, text + len + 1, err);
		if (r < 0)
			return r;
	}
	*reference = parsed;
	return 0;
}

static const char *format(const struct reference *reference, const char *name,
    char out[REFERENCE_TEXT_SIZE])
{
	const struct digest *digest = &reference->digest;
	bool pinned = digest_is_set(digest);
	char text[DIGEST_TEXT_SIZE] = "";

	if (pinned)
		digest_format(digest, text);
	snprintf(out, REFERENCE_TEXT_SIZE, "%s%s%s%s%s", name,
	    reference->tag[0] ? ":" : "", reference->tag, pinned ? "@" : "",
	    text);
	return out;
}

const char *reference_format(const struct reference *reference,
    char out[REFERENCE_TEXT_SIZE])
{
	return format(reference, reference->name, out);
}

/* What is left of a name that needs no host to be understood; else all. */
static const char *familiar_name(const char *name)
{
	const char *path = name, *official;

	if (!parse_literal(&path, REFERENCE_HUB "/"))
		return name;
	official = path;
	if (parse_literal(&official, "library/") && !strchr(official, '/'))
		return official;
	/* Without the host, its first component would be taken for one. */
	return reference_host(path, strcspn(path, "/")) ? name : path;
}

const char *reference_familiar(const struct reference *reference,
    char out[REFERENCE_TEXT_SIZE])
{
	return format(reference, familiar_name(reference->name), out);
}
