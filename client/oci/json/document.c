/* SPDX-License-Identifier: Apache-2.0 */
/* JSON within limits, by jansson. */
#include "document.h"

#include <errno.h>
#include <string.h>

#include "mend.h"

enum {
	/* A manifest is six levels deep; jansson would recurse 2048. What is
	 * deeper nobody asks for. */
	MAX_DEPTH = 64,
	/* 25 for each of an index's entries. Without it 16 MiB of "[{},{},…"
	 * would take a hundred times that in memory. */
	MAX_VALUES = 1 << 18
};

/*
 * Bounds the number of values before a parser allocates anything for them, and
 * says whether they are nested too deep: 1. It need not know more of JSON than
 * where strings end: what is no JSON is the parser's to refuse.
 */
static int check_extent(const char *text, size_t len, struct err *err)
{
	size_t depth = 0;
	bool deep = false;
	size_t values = 1;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '"')
			in_string = !in_string;
		else if (in_string)
			i += c == '\\';
		else if (c == '{' || c == '[')
			depth++, values++;
		else if (c == ',')
			values++;
		else if ((c == '}' || c == ']') && depth)
			depth--;
		deep |= depth > MAX_DEPTH;
		if (values > MAX_VALUES)
			return err_set(err, EINVAL,
			    "the JSON has more than %d values", MAX_VALUES);
	}
	return deep;
}

static const char *type_name(json_type type)
{
	static const char *const names[] = {
	    [JSON_OBJECT] = "an object",
	    [JSON_ARRAY] = "an array",
	    [JSON_STRING] = "a string",
	    [JSON_INTEGER] = "a whole number",
	};

	return names[type];
}

/* What Go's readers take as well; NULL where that changes nothing. */
static json_t *load_mended(const char *data, size_t len, json_error_t *error)
{
	AUTO_BUF struct buf mended = BUF_INIT(SIZE_MAX / 2);

	if (json_mend(data, len, MAX_DEPTH, &mended, ERR_IGNORE) < 0 ||
	    mended.len == 0 ||
	    (mended.len == len && memcmp(mended.data, data, len) == 0))
		return NULL;
	return json_loadb(mended.data, mended.len, 0, error);
}

int document_read(const void *data, size_t len, size_t limit, json_type type,
    json_t **out, struct err *err)
{
	json_auto_t *root = NULL;
	json_error_t error = {.line = 1};
	char shown[JSON_ERROR_TEXT_LENGTH];
	int r;

	if (len > limit)
		return err_set(err, EINVAL, "the JSON is larger than %zu bytes",
		    limit);
	r = check_extent(data, len, err);
	if (r < 0)
		return r;
	/* Of two members of one name the last counts, as it does for engines
	 * and registries, all of which are written in Go. */
	if (r == 0)
		root = json_loadb(data, len, 0, &error);
	if (!root)
		root = load_mended(data, len, r == 0 ? NULL : &error);
	if (!root) {
		/* jansson has no words for it. */
		if (!error.text[0])
			return err_nomem(err);
		err_clean(shown, sizeof(shown), error.text, strlen(error.text));
		return err_set(err, EINVAL, "bad JSON in line %d: %s",
		    error.line, shown);
	}
	if (json_typeof(root) != type)
		return err_set(err, EINVAL, "the JSON is not %s",
		    type_name(type));
	*out = steal(&root);
	return 0;
}

int document_member(const json_t *object, const char *name, json_type type,
    json_t **out, struct err *err)
{
	json_t *value = json_object_get(object, name);

	*out = NULL;
	if (!value || json_is_null(value))
		return 0;
	if (json_typeof(value) != type)
		return err_set(err, EINVAL, "\"%s\" is not %s", name,
		    type_name(type));
	*out = value;
	return 0;
}

int document_text(const json_t *object, const char *name, struct arena *arena,
    const char **out, struct err *err)
{
	json_t *value;
	const char *copy;
	int r = document_member(object, name, JSON_STRING, &value, err);

	if (r < 0)
		return r;
	if (!value) {
		*out = NULL;
		return 0;
	}
	copy = arena_strdup(arena, json_string_value(value));
	if (!copy)
		return err_nomem(err);
	*out = copy;
	return 0;
}

int document_short_text(const json_t *object, const char *name, char *out,
    size_t size, struct err *err)
{
	json_t *value;
	int r = document_member(object, name, JSON_STRING, &value, err);

	if (r < 0)
		return r;
	if (json_string_length(value) >= size)
		return err_set(err, EINVAL, "\"%s\" is longer than %zu bytes",
		    name, size - 1);
	memset(out, 0, size);
	if (value)
		memcpy(out, json_string_value(value),
		    json_string_length(value));
	return 0;
}

int document_digest(const json_t *value, struct digest *out, struct err *err)
{
	if (!json_is_string(value))
		return err_set(err, EINVAL, "the digest is %s",
		    value ? "not a string" : "missing");
	return digest_parse(out, json_string_value(value), err);
}

struct printer {
	struct buf *out;
	struct err *err;
	int result; /* of the chunks so far */
};

static int print_chunk(const char *chunk, size_t len, void *arg)
{
	struct printer *printer = arg;

	if (printer->result == 0)
		printer->result =
		    buf_add(printer->out, chunk, len, printer->err);
	return printer->result;
}

static int print(const json_t *document, size_t flags, struct buf *out,
    struct err *err)
{
	struct printer printer = {out, err, 0};
	int r = json_dump_callback(document, print_chunk, &printer, flags);

	/* It does not stop at a member's name that could not be printed. */
	if (printer.result < 0)
		return printer.result;
	return r < 0 ? err_nomem(err) : 0;
}

int document_print(const json_t *document, struct buf *out, struct err *err)
{
	return print(document, JSON_COMPACT, out, err);
}

int document_print_indented(const json_t *document, struct buf *out,
    struct err *err)
{
	return print(document, JSON_INDENT(3), out, err);
}
