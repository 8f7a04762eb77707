/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, tables and arrays. */
#include "toml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "toml_read.h"

enum {
	KEY_PARTS_MAX = 32,
	NESTING_MAX = 32, /* of arrays and inline tables */
};

static const char bare[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			   "abcdefghijklmnopqrstuvwxyz0123456789_-";

struct toml_document {
	struct toml_reader reader;
	struct toml *root;
	struct toml *table; /* that the last header named */
	unsigned nesting;
};

/* The parts of a dotted key. */
struct key {
	char *parts[KEY_PARTS_MAX];
	size_t count;
};

static void key_release(struct key *key)
{
	for (size_t i = 0; i < key->count; i++)
		free(key->parts[i]);
}

void toml_free(struct toml *toml)
{
	while (toml) {
		struct toml *next = toml->next;

		toml_free(toml->first);
		free(toml->key);
		free(toml->text);
		free(toml);
		toml = next;
	}
}

struct toml *toml_get(const struct toml *table, const char *key)
{
	struct toml *value = table->first;

	while (value && strcmp(value->key, key) != 0)
		value = value->next;
	return value;
}

/* A new value in a table, or in an array (key: NULL). */
static struct toml *add(struct toml_document *document, struct toml *parent,
    const char *key, enum toml_type type, enum toml_origin origin,
    struct err *err)
{
	struct toml *value = calloc(1, sizeof(*value));

	if (value && key && !(value->key = strdup(key)))
		free(steal(&value));
	if (!value) {
		err_nomem(err);
		return NULL;
	}
	value->type = type;
	value->origin = origin;
	value->line = document->reader.line;
	*(parent->last ? &parent->last->next : &parent->first) = value;
	parent->last = value;
	return value;
}

static int read_part(struct toml_reader *reader, char **out, struct err *err)
{
	char c = toml_peek(reader, 0);
	size_t len = 0;

	if (c == '"' || c == '\'')
		return toml_read_string(reader, false, out, err);
	while (toml_peek(reader, len) && strchr(bare, toml_peek(reader, len)))
		len++;
	if (len == 0)
		return toml_error(reader, err, "a key is missing");
	*out = strndup(reader->at, len);
	reader->at += len;
	return *out ? 0 : err_nomem(err);
}

static int read_key(struct toml_reader *reader, struct key *key,
    struct err *err)
{
	int r;

	do {
		if (key->count == KEY_PARTS_MAX)
			return toml_error(reader, err,
			    "a key of too many parts");
		toml_skip_blanks(reader);
		r = read_part(reader, &key->parts[key->count], err);
		if (r < 0)
			return r;
		key->count++;
		toml_skip_blanks(reader);
	} while (toml_skip(reader, "."));
	return 0;
}

static int defined_before(const struct toml_document *document, const char *key,
    const struct toml *before, struct err *err)
{
	return toml_error(&document->reader, err,
	    "\"%.100s\" is defined already, in line %u", key, before->line);
}

static int read_value(struct toml_document *document, struct toml *value,
    struct err *err);

/* "key = value" in a table, whose dotted key may make tables in it. */
static int read_pair(struct toml_document *document, struct toml *table,
    struct err *err)
{
	CLEANUP(key_release) struct key key = {.count = 0};
	struct toml_reader *reader = &document->reader;
	struct toml *value;
	int r = read_key(reader, &key, err);

	if (r < 0)
		return r;
	if (!toml_skip(reader, "="))
		return toml_error(reader, err,
		    "'=' is missing after \"%.100s\"",
		    key.parts[key.count - 1]);
	for (size_t i = 0; i + 1 < key.count; i++) {
		struct toml *inner = toml_get(table, key.parts[i]);

		if (inner &&
		    (inner->type != TOML_TABLE || inner->origin != TOML_DOTTED))
			return defined_before(document, key.parts[i], inner,
			    err);
		table = inner ? inner
			      : add(document, table, key.parts[i], TOML_TABLE,
				    TOML_DOTTED, err);
		if (!table)
			return -err->code;
	}
	value = toml_get(table, key.parts[key.count - 1]);
	if (value)
		return defined_before(document, value->key, value, err);
	value = add(document, table, key.parts[key.count - 1], TOML_OTHER,
	    TOML_INLINE, err);
	if (!value)
		return -err->code;
	toml_skip_blanks(reader);
	return read_value(document, value, err);
}

static int read_array(struct toml_document *document, struct toml *array,
    struct err *err)
{
	struct toml_reader *reader = &document->reader;

	array->type = TOML_ARRAY;
	for (;;) {
		struct toml *value;
		int r = toml_skip_space(reader, err);

		if (r < 0)
			return r;
		if (toml_skip(reader, "]"))
			return 0;
		value =
		    add(document, array, NULL, TOML_OTHER, TOML_INLINE, err);
		if (!value)
			return -err->code;
		r = read_value(document, value, err);
		if (r == 0)
			r = toml_skip_space(reader, err);
		if (r < 0)
			return r;
		if (!toml_skip(reader, ",") && toml_peek(reader, 0) != ']')
			return toml_error(reader, err,
			    "',' or ']' is missing in an array");
	}
}

static int read_inline_table(struct toml_document *document, struct toml *table,
    struct err *err)
{
	struct toml_reader *reader = &document->reader;
	int r;

	table->type = TOML_TABLE;
	toml_skip_blanks(reader);
	if (toml_skip(reader, "}"))
		return 0;
	do {
		r = read_pair(document, table, err);
		if (r < 0)
			return r;
		toml_skip_blanks(reader);
	} while (toml_skip(reader, ","));
	if (!toml_skip(reader, "}"))
		return toml_error(reader, err,
		    "',' or '}' is missing in an inline table");
	return 0;
}

static int read_value(struct toml_document *document, struct toml *value,
    struct err *err)
{
	struct toml_reader *reader = &document->reader;
	char c = toml_peek(reader, 0);
	int r;

	value->line = reader->line;
	if (c == '"' || c == '\'') {
		value->type = TOML_STRING;
		return toml_read_string(reader, true, &value->text, err);
	}
	if (c != '[' && c != '{')
		return toml_read_scalar(reader, value, err);
	if (document->nesting == NESTING_MAX)
		return toml_error(reader, err, "values are nested too deeply");
	document->nesting++;
	reader->at++;
	r = c == '[' ? read_array(document, value, err)
		     : read_inline_table(document, value, err);
	document->nesting--;
	return r;
}

/* The table in which the last part of a header is: those on the way are made,
 * and of an array of tables the last one is meant. */
static struct toml *walk(struct toml_document *document, const struct key *key,
    struct err *err)
{
	struct toml *table = document->root;

	for (size_t i = 0; table && i + 1 < key->count; i++) {
		struct toml *inner = toml_get(table, key->parts[i]);

		if (!inner) {
			table = add(document, table, key->parts[i], TOML_TABLE,
			    TOML_IMPLIED, err);
			continue;
		}
		if (inner->origin == TOML_INLINE) {
			defined_before(document, inner->key, inner, err);
			return NULL;
		}
		table = inner->type == TOML_ARRAY ? inner->last : inner;
	}
	return table;
}

static int begin_table(struct toml_document *document, struct toml *parent,
    const char *key, struct err *err)
{
	struct toml *table = toml_get(parent, key);

	if (table &&
	    (table->type != TOML_TABLE || table->origin != TOML_IMPLIED))
		return defined_before(document, key, table, err);
	if (!table)
		table =
		    add(document, parent, key, TOML_TABLE, TOML_HEADED, err);
	if (!table)
		return -err->code;
	table->origin = TOML_HEADED;
	table->line = document->reader.line;
	document->table = table;
	return 0;
}

static int begin_element(struct toml_document *document, struct toml *parent,
    const char *key, struct err *err)
{
	struct toml *array = toml_get(parent, key);

	if (array &&
	    (array->type != TOML_ARRAY || array->origin != TOML_HEADED))
		return defined_before(document, key, array, err);
	if (!array)
		array =
		    add(document, parent, key, TOML_ARRAY, TOML_HEADED, err);
	if (!array)
		return -err->code;
	document->table =
	    add(document, array, NULL, TOML_TABLE, TOML_HEADED, err);
	return document->table ? 0 : -err->code;
}

/* "[table]" or "[[array of tables]]", after its first bracket. */
static int read_header(struct toml_document *document, struct err *err)
{
	CLEANUP(key_release) struct key key = {.count = 0};
	struct toml_reader *reader = &document->reader;
	bool element = toml_skip(reader, "[");
	struct toml *parent;
	int r = read_key(reader, &key, err);

	if (r < 0)
		return r;
	if (!toml_skip(reader, element ? "]]" : "]"))
		return toml_error(reader, err, "'%s' is missing",
		    element ? "]]" : "]");
	parent = walk(document, &key, err);
	if (!parent)
		return -err->code;
	return element ? begin_element(document, parent,
			     key.parts[key.count - 1], err)
		       : begin_table(document, parent, key.parts[key.count - 1],
			     err);
}

static int read_line(struct toml_document *document, struct err *err)
{
	struct toml_reader *reader = &document->reader;
	int r = toml_skip(reader, "[")
		    ? read_header(document, err)
		    : read_pair(document, document->table, err);

	if (r < 0)
		return r;
	toml_skip_blanks(reader);
	r = toml_skip_comment(reader, err);
	if (r == 0 && reader->at < reader->end && !toml_skip_newline(reader))
		return toml_error(reader, err,
		    "something stands after a value or a header");
	return r;
}

int toml_parse(const char *text, size_t len, struct toml **out, struct err *err)
{
	CLEANUP(toml_free_p) struct toml *root = calloc(1, sizeof(*root));
	struct toml_document document = {.reader = {.at = text,
					     .end = text + len,
					     .line = 1},
	    .root = root,
	    .table = root};
	struct toml_reader *reader = &document.reader;
	int r;

	if (!root)
		return err_nomem(err);
	if (!toml_is_utf8(text, len))
		return err_set(err, EINVAL, "it is not UTF-8");
	root->type = TOML_TABLE;
	root->origin = TOML_HEADED;
	root->line = 1;
	toml_skip(reader, "\xef\xbb\xbf");
	for (;;) {
		r = toml_skip_space(reader, err);
		if (r < 0)
			return r;
		if (reader->at == reader->end)
			break;
		r = read_line(&document, err);
		if (r < 0)
			return r;
	}
	*out = steal(&root);
	return 0;
}
