/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOML 1.0, read into a tree that knows the line of each value. What the files
 * of container tools have no use for, numbers and dates, is checked for its
 * form and not kept.
 */
#ifndef CLIENT_CONFIG_TOML_H
#define CLIENT_CONFIG_TOML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

enum toml_type {
	TOML_TABLE,
	TOML_ARRAY,
	TOML_STRING,
	TOML_BOOLEAN,
	TOML_OTHER, /* a number, a date or a time */
};

/* How a table or an array came to be, which says what may be added to it. */
enum toml_origin {
	TOML_IMPLIED, /* by the header of a table in it */
	TOML_HEADED,  /* by a header of its own */
	TOML_DOTTED,  /* by a dotted key */
	TOML_INLINE,  /* as a value, which is whole */
};

struct toml {
	enum toml_type type;
	enum toml_origin origin;
	unsigned line;
	char *key;          /* NULL in an array */
	char *text;         /* of a string, UTF-8 without NUL */
	bool truth;         /* of a boolean */
	struct toml *first; /* what is in a table or an array, as written */
	struct toml *last;
	struct toml *next; /* beside it */
};

/* The table that the text is: -EINVAL with "line N: what is wrong". */
int toml_parse(const char *text, size_t len, struct toml **out,
    struct err *err);
void toml_free(struct toml *toml);

DEFINE_CLEANUP(struct toml *, toml_free);

/* The value of a key in a table, or NULL. */
struct toml *toml_get(const struct toml *table, const char *key);

/* Takes the value's place for "line N: …"; returns -EINVAL. */
int toml_refuse(const struct toml *value, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Values of a type, which may be absent: 0 with *out as it was. -EINVAL where
 * it is of another. */
int toml_string(const struct toml *table, const char *key, const char **out,
    struct err *err);
int toml_boolean(const struct toml *table, const char *key, bool *out,
    struct err *err);
/* *out: the first of its elements, all of which are of that type, or NULL. */
int toml_elements(const struct toml *table, const char *key,
    enum toml_type type, const struct toml **out, struct err *err);
int toml_table(const struct toml *table, const char *key,
    const struct toml **out, struct err *err);

#endif
