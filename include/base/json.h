/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes JSON into a buffer, member by member.
 *
 *	struct json json = JSON_INIT(&buf, true, &err);
 *
 *	json_open(&json, NULL, '{');
 *	json_text(&json, "name", name);
 *	json_count(&json, "size", size);
 *	json_close(&json, '}');
 *	return json.r;
 *
 * Once something has failed nothing more is written, and r and err say what
 * (as buf_add()). Names are of this program: they need no escapes; NULL is for
 * what has none, in arrays and at the top.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"

struct json {
	struct buf *out;
	bool pretty; /* a line for each member, else one for all */
	struct err *err;
	int r; /* 0, or -errno */
	unsigned depth;
	bool follows; /* another member: a comma comes first */
};

/* clang-format off */
#define JSON_INIT(out_, pretty_, err_) {(out_), (pretty_), (err_), 0, 0, false}
/* clang-format on */

/* bracket: '{' or '['. */
void json_open(struct json *json, const char *name, char bracket);
void json_close(struct json *json, char bracket);

/* Any text (escape_json()); NULL becomes null. */
void json_text(struct json *json, const char *name, const char *text);

/* UINT64_MAX, which stands for what is not known, becomes null. */
void json_count(struct json *json, const char *name, uint64_t count);

/* Three decimals. */
void json_seconds(struct json *json, const char *name, double seconds);

/* A member that is true or false, or null. */
void json_bool(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);

/* As RFC 3339 has it, in UTC; 0, which is never, becomes null. */
void json_time(struct json *json, const char *name, time_t time);

#endif
