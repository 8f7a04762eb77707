/* SPDX-License-Identifier: Apache-2.0 */
/* Where the reader of a TOML text is, and what stands there. */
#ifndef CLIENT_CONFIG_TOML_READ_H
#define CLIENT_CONFIG_TOML_READ_H

#include "toml.h"

struct toml_reader {
	const char *at, *end;
	unsigned line;
};

/* "line N: …"; returns -EINVAL. */
int toml_error(const struct toml_reader *reader, struct err *err,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The byte there, or that many later; '\0' past the end. */
char toml_peek(const struct toml_reader *reader, size_t more);

/* Whether this comes next; if so it is passed. */
bool toml_skip(struct toml_reader *reader, const char *text);

/* Blanks and tabs. */
void toml_skip_blanks(struct toml_reader *reader);

/* The end of a line is passed, if it is one. */
bool toml_skip_newline(struct toml_reader *reader);

/* A comment, if one begins here: -EINVAL for control characters in it. */
int toml_skip_comment(struct toml_reader *reader, struct err *err);

/* Any of them, over lines. */
int toml_skip_space(struct toml_reader *reader, struct err *err);

/* A string of one line, or where `lines` of many, from its quotes on: a new
 * one in *out. */
int toml_read_string(struct toml_reader *reader, bool lines, char **out,
    struct err *err);

/* true, false, a number, a date: sets type and truth of value. */
int toml_read_scalar(struct toml_reader *reader, struct toml *value,
    struct err *err);

/* Whether the bytes are UTF-8. */
bool toml_is_utf8(const char *text, size_t len);

#endif
